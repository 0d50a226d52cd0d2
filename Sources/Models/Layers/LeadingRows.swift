import Autodiff

extension PreNorm {
  /// The first rows of each sequence, and where they lie.
  func leading(_ count: Int, _ segments: Segments) -> (rows: PreNorm, segments: Segments) {
    let leading = segments.leading(count)
    return (map { leadingRows($0, segments: segments, leading: leading) }, leading)
  }
}
