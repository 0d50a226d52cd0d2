// SPDX-License-Identifier: Apache-2.0

/// Which activations are dropped: a function of a key and a position, so that nothing is stored and
/// the backward pass, a resumed run and any number of cores see the same choice.
package struct Dropout: Sendable {
  /// The probability, 0 ..< 1, that an element is set to zero; the others are divided by 1 - rate.
  package let rate: Float
  let key: UInt32
  private let threshold: UInt32
  private let keepScale: Float
  /// Added to the row number, so that a part of a batch drops what the whole batch would.
  let firstRow: Int

  /// Nothing is dropped.
  package static let none = Dropout(rate: 0, key: 0)

  /// - Precondition: 0 ≤ rate < 1.
  package init(rate: Float, key: UInt64, firstRow: Int = 0) {
    precondition(rate >= 0 && rate < 1, "dropout: rate \(rate) is not in 0 ..< 1")
    self.rate = rate
    self.key = UInt32(truncatingIfNeeded: key ^ (key >> 32))
    self.firstRow = firstRow
    threshold = UInt32(Double(rate) * 4_294_967_296)
    keepScale = 1 / (1 - rate)
  }

  /// Whether anything is dropped.
  package var isActive: Bool { rate > 0 }

  /// The key of one row (and, for attention, of one head).
  @inline(__always)
  func rowKey(_ row: Int, _ head: Int = 0) -> UInt32 {
    scrambled(
      key
        ^ scrambled(
          UInt32(truncatingIfNeeded: row &+ firstRow) &+ UInt32(truncatingIfNeeded: head)
            &* 0x9E37_79B9))
  }

  /// 0 or 1 / (1 - rate) for sixteen neighbouring columns, the first of which is `column`.
  @inline(__always)
  func factors(_ rowKey: UInt32, _ column: Int) -> Lanes {
    let lanes = SIMD16<UInt32>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    return factors(rowKey, SIMD16(repeating: UInt32(truncatingIfNeeded: column)) &+ lanes)
  }

  /// 0 or 1 / (1 - rate) for sixteen columns, given as floats in 0 ..< 2²³.
  @inline(__always)
  func factors(_ rowKey: UInt32, at columns: Lanes) -> Lanes {
    // The sum with 2²³ has the whole number in its low bits.
    let bits = unsafeBitCast(columns + 8_388_608, to: SIMD16<UInt32>.self)
    return factors(rowKey, bits &- SIMD16(repeating: 0x4B00_0000))
  }

  /// 0 or 1 / (1 - rate) for one column of sixteen rows.
  @inline(__always)
  func factors(_ rowKeys: SIMD16<UInt32>, column: Int) -> Lanes {
    factors(rowKeys, SIMD16(repeating: UInt32(truncatingIfNeeded: column)))
  }

  @inline(__always)
  private func factors(_ rowKey: UInt32, _ columns: SIMD16<UInt32>) -> Lanes {
    factors(SIMD16(repeating: rowKey), columns)
  }

  @inline(__always)
  private func factors(_ rowKeys: SIMD16<UInt32>, _ columns: SIMD16<UInt32>) -> Lanes {
    var x = columns &* 0x9E37_79B9 ^ rowKeys
    x = (x ^ (x &>> 16)) &* 0x7FEB_352D
    x = (x ^ (x &>> 15)) &* 0x846C_A68B
    x = x ^ (x &>> 16)
    let isDropped = borrow(x, SIMD16(repeating: threshold))
    let scale = SIMD16<UInt32>(repeating: keepScale.bitPattern)
    return unsafeBitCast(scale & (isDropped &- 1), to: Lanes.self)
  }

  /// 1 where x < y, else 0: the borrow of x - y (Warren, "Hacker's Delight", section 2-13).
  ///
  /// A comparison of unsigned vectors would be compiled lane by lane, ten times slower.
  @inline(__always)
  private func borrow(_ x: SIMD16<UInt32>, _ y: SIMD16<UInt32>) -> SIMD16<UInt32> {
    ((~x & y) | ((~x | y) & (x &- y))) &>> 31
  }

  /// A well-mixing permutation of the 32-bit numbers (Ellis, "lowbias32", 2018).
  @inline(__always)
  private func scrambled(_ value: UInt32) -> UInt32 {
    var x = value
    x = (x ^ (x &>> 16)) &* 0x7FEB_352D
    x = (x ^ (x &>> 15)) &* 0x846C_A68B
    return x ^ (x &>> 16)
  }
}
