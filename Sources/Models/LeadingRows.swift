import Autodiff

extension PreNorm {
  /// The first rows of each sequence, and where they lie.
  func leading(_ count: Int, _ segments: Segments) -> (rows: PreNorm, segments: Segments) {
    let leading = segments.leading(count)
    let rows = leadingRows(residual, segments: segments, leading: leading)
    return (PreNorm(residual: rows, norm: norm), leading)
  }
}
