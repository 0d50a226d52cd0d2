// SPDX-License-Identifier: Apache-2.0

import Models

/// The largest absolute difference; infinite where the counts differ.
package func distance(_ a: [Float], _ b: [Float]) -> Float {
  guard a.count == b.count else { return .infinity }
  return zip(a, b).map { abs($0 - $1) }.max() ?? 0
}

/// The sequences of a batch padded with zeros at the right to `length`.
package func unpad(_ tokens: [Int32], length: Int) -> PackedTokens {
  var packed: [Int32] = []
  var offsets = [0]
  for start in stride(from: 0, to: tokens.count, by: length) {
    let row = tokens[start..<start + length]
    packed += row.prefix((row.lastIndex { $0 != 0 } ?? start - 1) - start + 1)
    offsets.append(packed.count)
  }
  return PackedTokens(tokens: packed, offsets: offsets, capacity: length)
}
