// SPDX-License-Identifier: Apache-2.0

/// The mean of the rows of each sequence.
///
/// Only real tokens are rows, so the mean is exact whatever the padding of a batch.
///
/// - Parameters:
///   - x: [N, E].
///   - sequences: the sequences.
/// - Returns: [B, E].
/// - Complexity: O(N·E) time, O(B·E) memory.
package func meanPool(_ x: Tensor, sequences: PackedSequences) -> Tensor {
  let width = x.columns
  precondition(x.rows == sequences.rows, "meanPool: \(x.shape) for \(sequences.rows) rows")
  let y = Tensor(shape: [sequences.count, width], storage: Storage(count: sequences.count * width))
  profileRows("mean pool", x, passes: 1) {
    parallel(sequences.count) { sequence, _ in
      let to = y.pointer + sequence * width
      to.update(repeating: 0, count: width)
      addColumnSums(
        x.pointer + sequences.offsets[sequence] * width, sequences.length(sequence), width, into: to
      )
      let inverse = 1 / Float(max(1, sequences.length(sequence)))
      for j in 0..<width { to[j] *= inverse }
    }
  }
  return y.recorded("mean pool", from: x) { dy in
    guard let dx = x.node?.target() else { return }
    profileRows("mean pool backward", x, passes: 1) {
      parallel(sequences.count) { sequence, _ in
        let from = dy.pointer + sequence * width
        let inverse = 1 / Float(max(1, sequences.length(sequence)))
        for row in sequences.range(sequence) {
          let to = dx.pointer + row * width
          for j in 0..<width {
            to[j] = dx.accumulate ? to[j] + from[j] * inverse : from[j] * inverse
          }
        }
      }
    }
  }
}

/// The first row of each sequence: the class token, where the model puts one there.
///
/// - Parameters:
///   - x: [N, E].
///   - sequences: the sequences, none of them empty.
/// - Returns: [B, E].
/// - Complexity: O(B·E) forward, O(N·E) backward.
package func firstPool(_ x: Tensor, sequences: PackedSequences) -> Tensor {
  let width = x.columns
  precondition(x.rows == sequences.rows, "firstPool: \(x.shape) for \(sequences.rows) rows")
  let y = Tensor(shape: [sequences.count, width], storage: Storage(count: sequences.count * width))
  profileCopy("first pool", y.count) {
    for sequence in 0..<sequences.count {
      (y.pointer + sequence * width).update(
        from: x.pointer + sequences.offsets[sequence] * width, count: width)
    }
  }
  return y.recorded("first pool", from: x) { dy in
    guard let dx = x.node?.target() else { return }
    profileRows("first pool backward", x, passes: 1) {
      if !dx.accumulate { dx.pointer.update(repeating: 0, count: x.count) }
      for sequence in 0..<sequences.count {
        let to = dx.pointer + sequences.offsets[sequence] * width
        let from = dy.pointer + sequence * width
        for j in 0..<width { to[j] += from[j] }
      }
    }
  }
}
