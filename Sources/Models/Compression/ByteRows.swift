// SPDX-License-Identifier: Apache-2.0

/// A matrix as signed bytes with a scale for each row: x ≈ s·q.
///
/// ```
/// s = max |x| / 127      q = rint(x/s), of two the even one, between −127 and 127
/// ```
/// A row of zeros has s = 1. |x − s·q| ≤ s/2.
package struct ByteRows {
  /// q, row-major.
  package let bytes: [Int8]
  /// s of each row.
  package let scales: [Float]

  /// - Precondition: all numbers are finite.
  package init(_ values: [Float], rows: Int) {
    let columns = values.count / max(rows, 1)
    var (bytes, scales): ([Int8], [Float]) = ([], [])
    bytes.reserveCapacity(values.count)
    for row in 0..<rows {
      let part = values[row * columns..<(row + 1) * columns]
      let largest = part.reduce(Float(0)) { max($0, abs($1)) }
      let scale = largest == 0 ? 1 : max(largest / 127, .leastNormalMagnitude)
      scales.append(scale)
      bytes += part.map {
        Int8(max(-127, min(127, (Double($0) / Double(scale)).rounded(.toNearestOrEven))))
      }
    }
    (self.bytes, self.scales) = (bytes, scales)
  }

  /// s·q.
  package var values: [Float] {
    let columns = bytes.count / max(scales.count, 1)
    return bytes.enumerated().map { scales[$0.offset / columns] * Float($0.element) }
  }
}
