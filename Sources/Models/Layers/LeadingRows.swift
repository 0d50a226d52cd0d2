// SPDX-License-Identifier: Apache-2.0

import Autodiff

extension BranchInput {
  /// The first rows of each sequence, and where they lie.
  func leading(_ count: Int, _ sequences: PackedSequences) -> (
    rows: BranchInput, sequences: PackedSequences
  ) {
    let leading = sequences.leading(count)
    return (map { leadingRows($0, sequences: sequences, leading: leading) }, leading)
  }
}
