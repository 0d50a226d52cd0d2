// SPDX-License-Identifier: Apache-2.0

/// The operands of linear attention, checked, and how the work on them is cut.
struct LinearAttentionShape {
  let query: HeadsView
  let key: HeadsView
  let value: HeadsView
  let sequences: PackedSequences
  let epsilon: Float
  let floor: Float

  init(
    _ query: HeadsView, _ key: HeadsView, _ value: HeadsView, _ sequences: PackedSequences,
    epsilon: Float,
    floor: Float
  ) {
    precondition(
      query.count == key.count && query.count == value.count && query.width == key.width
        && query.width == value.width,
      "linearAttention: query, key and value differ in heads or width")
    precondition(
      [query, key, value].allSatisfy { $0.tensor.rows == sequences.rows },
      "linearAttention: \(query.tensor.rows) rows for segments of \(sequences.rows)")
    self.query = query
    self.key = key
    self.value = value
    self.sequences = sequences
    self.epsilon = epsilon
    self.floor = floor
  }

  var heads: Int { query.count }
  var width: Int { query.width }

  /// A buffer of the result's shape, by heads.
  func results(_ storage: Storage) -> HeadsView {
    HeadsView(
      Tensor(shape: [sequences.rows, heads * width], storage: storage), count: heads, width: width)
  }
}
