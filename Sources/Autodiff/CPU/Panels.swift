// SPDX-License-Identifier: Apache-2.0

/// The right-hand matrix of a product, B[k × n], cut into panels as wide as a register tile: 32 columns in
/// builds for AVX-512, else 16.
///
/// Element (i, width·p + j) lies at `base[p * panel + i * step + j]`. Kernels make panels here and nowhere
/// else, packed or in place, so that another element type needs one more packing, not a change in
/// every kernel.
struct Panels {
  @inline(__always)
  static var width: Int { RegisterTiles.columns }

  let base: UnsafePointer<Float>
  let step: Int
  let panel: Int

  private init(base: UnsafePointer<Float>, step: Int, panel: Int) {
    self.base = base
    self.step = step
    self.panel = panel
  }

  /// A row-major matrix where it lies: its rows hold whole panels, and are `stride` floats apart.
  init(rowMajor base: UnsafePointer<Float>, stride: Int) {
    self.init(base: base, step: stride, panel: Self.width)
  }

  /// Packed panels of k rows each, one behind the other.
  init(packed base: UnsafePointer<Float>, inner k: Int) {
    self.init(base: base, step: Self.width, panel: Self.width * k)
  }

  /// The columns from a multiple of ``width`` on.
  func columns(from first: Int) -> Panels {
    Panels(base: base + first / Self.width * panel, step: step, panel: panel)
  }

  /// The rows from one on.
  func rows(from first: Int) -> Panels {
    Panels(base: base + first * step, step: step, panel: panel)
  }

  /// The number of panels that `columns` columns need.
  static func count(_ columns: Int) -> Int { (columns + width - 1) / width }
  /// `columns` rounded up to whole panels.
  static func padded(_ columns: Int) -> Int { count(columns) * width }
  /// Floats of packed panels of k × n.
  static func floatCount(inner k: Int, columns n: Int) -> Int { count(n) * width * k }
}

extension Panels {
  /// Packs a row-major B[k × n] whose rows are `stride` floats apart; columns beyond n are zero.
  @discardableResult
  static func pack(
    rows source: UnsafePointer<Float>, stride: Int, inner k: Int, columns n: Int,
    into target: UnsafeMutablePointer<Float>
  ) -> Panels {
    for panel in 0..<count(n) {
      let column = panel * width
      let used = min(width, n - column)
      let base = target + panel * width * k
      for i in 0..<k {
        let from = source + i * stride + column
        let to = base + i * width
        if used == width {
          for j in Swift.stride(from: 0, to: width, by: laneCount) { store(load(from + j), to + j) }
        } else {
          for j in 0..<used { to[j] = from[j] }
          for j in used..<width { to[j] = 0 }
        }
      }
    }
    return Panels(packed: target, inner: k)
  }

  /// Packs the transpose of a row-major S[n × k], times `scale`: B[k × n] = scale·Sᵀ.
  @discardableResult
  static func pack(
    transposed source: UnsafePointer<Float>, stride: Int, inner k: Int, columns n: Int,
    into target: UnsafeMutablePointer<Float>, scale: Float = 1
  ) -> Panels {
    withTransposeBlock { block in
      for panel in 0..<count(n) {
        let column = panel * width
        let used = min(width, n - column)
        let base = target + panel * width * k
        for first in Swift.stride(from: 0, to: k, by: laneCount) {
          for half in Swift.stride(from: 0, to: width, by: laneCount) {
            transposeBlock(
              source + (column + half) * stride + first, row: stride, rows: used - half,
              columns: min(laneCount, k - first), scale: scale,
              into: base + first * width + half, row: width, through: block)
          }
        }
      }
    }
    return Panels(packed: target, inner: k)
  }
  /// Packs one panel, B[k × width], from its columns.
  ///
  /// - Parameter elements: sixteen elements of a column from one on, zeros beyond k.
  @inline(__always)
  static func pack(
    inner k: Int, into panel: UnsafeMutablePointer<Float>,
    elements: (_ column: Int, _ first: Int) -> Lanes
  ) {
    withTransposeBlock { block in
      for half in Swift.stride(from: 0, to: width, by: laneCount) {
        for first in Swift.stride(from: 0, to: k, by: laneCount) {
          for j in 0..<laneCount { block[j] = elements(half + j, first) }
          transpose(block)
          let to = panel + first * width + half
          for i in 0..<min(laneCount, k - first) { store(block[i], to + i * width) }
        }
      }
    }
  }
}
