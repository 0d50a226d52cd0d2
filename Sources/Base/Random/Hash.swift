// SPDX-License-Identifier: Apache-2.0

/// The 64-bit FNV-1a hash, fed byte by byte; equal on every machine and in every version.
///
/// It names streams of random numbers and detects changed data. It does not resist an attacker.
///
/// Source: Fowler, Noll, Vo, draft-eastlake-fnv.
public struct FNV1a: Sendable {
  /// The hash of all bytes so far.
  public var value: UInt64 { state }
  @usableFromInline var state: UInt64 = 0xCBF2_9CE4_8422_2325

  /// The hash of nothing.
  @inlinable
  public init() {}

  /// Adds bytes.
  @inlinable
  public mutating func add(_ bytes: some Sequence<UInt8>) {
    for byte in bytes { state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
  }

  /// Adds the eight bytes of a word, lowest first.
  public mutating func add(_ word: UInt64) {
    for shift in stride(from: UInt64(0), to: 64, by: 8) {
      add(CollectionOfOne(UInt8(truncatingIfNeeded: word >> shift)))
    }
  }

  /// Adds the four bytes of each token, lowest first.
  package mutating func add(tokens: some Sequence<Int32>) {
    for token in tokens {
      for shift in stride(from: Int32(0), to: 32, by: 8) {
        add(CollectionOfOne(UInt8(truncatingIfNeeded: token >> shift)))
      }
    }
  }

  /// The hash as sixteen hexadecimal digits.
  public var hexadecimal: String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

/// The 64-bit FNV-1a hash of a text's UTF-8 bytes.
public func fnv1a(_ text: String) -> UInt64 {
  var hash = FNV1a()
  hash.add(text.utf8)
  return hash.value
}
