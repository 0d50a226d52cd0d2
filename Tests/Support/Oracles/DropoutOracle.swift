// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// The documented dropout rule, written out for one element at a time.
///
/// An element is dropped where a hash of (key, row, head, column) falls below rate·2³². The hash is
/// Ellis's "lowbias32" applied to the row, to the key with it, and to the column with both.
package struct DropoutOracle: Sendable {
  private let rate: Float
  private let longKey: UInt64
  private let firstRow: Int

  /// As ``Dropout/init(rate:key:firstRow:)``.
  package init(rate: Float, key: UInt64, firstRow: Int = 0) {
    self.rate = rate
    longKey = key
    self.firstRow = firstRow
  }

  /// The same choice as operations take it.
  package var dropout: Dropout { Dropout(rate: rate, key: longKey, firstRow: firstRow) }

  /// What a kept element is multiplied by.
  package var keepScale: Float { 1 / (1 - rate) }

  /// Whether an element survives.
  package func keeps(row: Int, column: Int, head: Int = 0) -> Bool {
    let golden: UInt32 = 2_654_435_769
    let key = UInt32(longKey & 0xFFFF_FFFF) ^ UInt32(longKey >> 32)
    let place = UInt32(row + firstRow) &+ UInt32(head) &* golden
    let hash = mixed((UInt32(column) &* golden) ^ mixed(key ^ mixed(place)))
    return Double(hash) >= (Double(rate) * 4_294_967_296).rounded(.down)
  }

  /// 0 or 1 / (1 - rate).
  package func factor(row: Int, column: Int, head: Int = 0) -> Double {
    keeps(row: row, column: column, head: head) ? Double(keepScale) : 0
  }

  /// Drops elements of rows by their place.
  package func apply(_ x: Matrix) -> Matrix {
    x.mapPlaces { $2 * factor(row: $0, column: $1) }
  }

  private func mixed(_ value: UInt32) -> UInt32 {
    let first = (value ^ (value >> 16)) &* 2_146_121_005
    let second = (first ^ (first >> 15)) &* 2_221_713_035
    return second ^ (second >> 16)
  }
}
