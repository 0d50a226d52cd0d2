// SPDX-License-Identifier: Apache-2.0

/// The right-hand matrix of a product, B[k × n], cut into panels as wide as a register tile: 32 columns in
/// builds for AVX-512, else 16.
///
/// Element (i, width·p + j) lies at `base[p * panel + i * step + j]`. Of
/// bfloat16 two rows lie there as one, in pairs. Kernels make panels here and nowhere else, packed or in
/// place, so that another element type needs one more packing, not a change in every kernel.
struct Panels {
  @inline(__always)
  static var width: Int { RegisterTiles.columns }

  let base: UnsafePointer<Float>
  let step: Int
  let panel: Int
  let precision: Precision

  private init(base: UnsafePointer<Float>, step: Int, panel: Int, _ precision: Precision) {
    self.base = base
    self.step = step
    self.panel = panel
    self.precision = precision
  }

  /// A row-major matrix where it lies: its rows hold whole panels, and are `stride` floats apart.
  init(rowMajor base: UnsafePointer<Float>, stride: Int, precision: Precision = .fp32) {
    self.init(base: base, step: stride, panel: Self.width, precision)
  }

  /// Packed panels of k rows each, one behind the other.
  init(packed base: UnsafePointer<Float>, inner k: Int, precision: Precision = .fp32) {
    self.init(base: base, step: Self.width, panel: Self.width * precision.steps(k), precision)
  }

  /// The columns from a multiple of ``width`` on.
  func columns(from first: Int) -> Panels {
    Panels(base: base + first / Self.width * panel, step: step, panel: panel, precision)
  }

  /// The rows from one on, of bfloat16 an even one, of bytes a multiple of four.
  func rows(from first: Int) -> Panels {
    assert(
      precision.steps(first + 1) > precision.steps(first), "panels: row \(first) begins no step")
    return Panels(
      base: base + precision.steps(first) * step, step: step, panel: panel, precision)
  }

  /// The number of panels that `columns` columns need.
  static func count(_ columns: Int) -> Int { (columns + width - 1) / width }
  /// `columns` rounded up to whole panels.
  static func padded(_ columns: Int) -> Int { count(columns) * width }
  /// Floats of packed panels of k × n.
  static func floatCount(inner k: Int, columns n: Int, precision: Precision = .fp32) -> Int {
    count(n) * width * precision.steps(k)
  }
}

extension Panels {
  /// Packs a row-major B[k × n] whose rows are `stride` floats apart; columns beyond n are zero.
  @discardableResult
  static func pack(
    rows source: UnsafePointer<Float>, stride: Int, inner k: Int, columns n: Int,
    into target: UnsafeMutablePointer<Float>, precision: Precision = .fp32
  ) -> Panels {
    let size = floatCount(inner: k, columns: width, precision: precision)
    for panel in 0..<count(n) {
      let column = panel * width
      precision.copySteps(
        source + column, row: stride, rows: k, columns: min(width, n - column), padded: width,
        into: target + panel * size, row: width)
    }
    return Panels(packed: target, inner: k, precision: precision)
  }

  /// Packs the transpose of a row-major S[n × k], times `scale`: B[k × n] = scale·Sᵀ.
  @discardableResult
  static func pack(
    transposed source: UnsafePointer<Float>, stride: Int, inner k: Int, columns n: Int,
    into target: UnsafeMutablePointer<Float>, scale: Float = 1, precision: Precision = .fp32
  ) -> Panels {
    let size = floatCount(inner: k, columns: width, precision: precision)
    for panel in 0..<count(n) {
      let column = panel * width
      for half in Swift.stride(from: 0, to: width, by: laneCount) {
        precision.copyStepsTransposed(
          source + (column + half) * stride, row: stride, rows: min(laneCount, n - column - half),
          columns: k, scale: scale, into: target + panel * size + half, row: width)
      }
    }
    return Panels(packed: target, inner: k, precision: precision)
  }
}
