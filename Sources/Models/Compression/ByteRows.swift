// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// A matrix as signed bytes with a scale for each row: x ≈ s·q, as ``ByteRounding`` has it.
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
    values.withUnsafeBufferPointer { values in
      for row in 0..<rows {
        let part = values[row * columns..<(row + 1) * columns]
        let rounding = ByteRounding(UnsafeBufferPointer(rebasing: part))
        scales.append(rounding.scale)
        bytes += part.map { Int8(rounding.byte($0)) }
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
