/// The right-hand matrix of a product, cut into panels of 32 columns.
///
/// Element (k, 32·p + j) lies at `base[p * panel + k * step + j]`. Packed panels have `step` 32; a
/// row-major matrix whose width is a multiple of 32 can be used in place with `panel` 32.
struct Panels {
  static let width = 32

  let base: UnsafePointer<Float>
  let step: Int
  let panel: Int

  /// The number of panels that `columns` columns need.
  static func count(_ columns: Int) -> Int { (columns + width - 1) / width }
  /// `columns` rounded up to whole panels.
  static func padded(_ columns: Int) -> Int { count(columns) * width }
}

/// Floats that ``packRows`` and ``packTransposed`` write for `k` × `n`.
func packedCount(inner k: Int, columns n: Int) -> Int { Panels.count(n) * Panels.width * k }

/// Copies a row-major B[k × n] into panels; columns beyond n are zero.
@discardableResult
func packRows(
  _ source: UnsafePointer<Float>, row: Int, inner k: Int, columns n: Int,
  into target: UnsafeMutablePointer<Float>
) -> Panels {
  for panel in 0..<Panels.count(n) {
    let column = panel * Panels.width
    let width = min(Panels.width, n - column)
    let base = target + panel * Panels.width * k
    for i in 0..<k {
      let from = source + i * row + column
      let to = base + i * Panels.width
      if width == Panels.width {
        store(load(from), to)
        store(load(from + 16), to + 16)
      } else {
        for j in 0..<width { to[j] = from[j] }
        for j in width..<Panels.width { to[j] = 0 }
      }
    }
  }
  return Panels(base: target, step: Panels.width, panel: Panels.width * k)
}

/// Copies the transpose of a row-major S[n × k] into panels of B[k × n] = Sᵀ.
@discardableResult
func packTransposed(
  _ source: UnsafePointer<Float>, row: Int, inner k: Int, columns n: Int,
  into target: UnsafeMutablePointer<Float>, scale: Float = 1
) -> Panels {
  withTransposeBlock { block in
    for panel in 0..<Panels.count(n) {
      let column = panel * Panels.width
      let width = min(Panels.width, n - column)
      let base = target + panel * Panels.width * k
      for first in stride(from: 0, to: k, by: laneCount) {
        for half in stride(from: 0, to: Panels.width, by: laneCount) {
          transposeBlock(
            source + (column + half) * row + first, row: row, rows: width - half,
            columns: min(laneCount, k - first), scale: scale,
            into: base + first * Panels.width + half, row: Panels.width, through: block)
        }
      }
    }
  }
  return Panels(base: target, step: Panels.width, panel: Panels.width * k)
}
