import Autodiff

extension BranchInput {
  /// The first rows of each sequence, and where they lie.
  func leading(_ count: Int, _ segments: PackedSequences) -> (
    rows: BranchInput, segments: PackedSequences
  ) {
    let leading = segments.leading(count)
    return (map { leadingRows($0, segments: segments, leading: leading) }, leading)
  }
}
