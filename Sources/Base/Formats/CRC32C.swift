// SPDX-License-Identifier: Apache-2.0

/// The Castagnoli checksum, which TensorBoard's event files demand and checkpoints use as well.
///
/// Reflected polynomial 0x82F63B78, initial value and final exclusive-or 0xFFFFFFFF.
///
/// Source: G. Castagnoli et al., "Optimization of cyclic redundancy-check codes", 1993; eight bytes
/// at a time after M. Kounavis and F. Berry, "A systematic approach to building high performance
/// software-based CRC generators", 2005.
package struct CRC32C: Sendable {
  private var state: UInt32 = 0xFFFF_FFFF

  /// Starts a checksum over no bytes.
  package init() {}

  /// The checksum of the bytes so far.
  package var value: UInt32 { ~state }

  /// The checksum of `bytes`.
  package static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    var crc = CRC32C()
    crc.update(Array(bytes))
    return crc.value
  }

  /// Takes in more bytes.
  ///
  /// - Complexity: O(n) time, about a gigabyte a second.
  package mutating func update(_ bytes: [UInt8]) {
    let tables = Self.tables
    var crc = state
    var index = 0
    while index + 8 <= bytes.count {
      var low = crc
      low ^= UInt32(bytes[index]) | UInt32(bytes[index + 1]) << 8
      low ^= UInt32(bytes[index + 2]) << 16 | UInt32(bytes[index + 3]) << 24
      crc = tables[0x700 + Int(low & 0xFF)] ^ tables[0x600 + Int(low >> 8 & 0xFF)]
      crc ^= tables[0x500 + Int(low >> 16 & 0xFF)] ^ tables[0x400 + Int(low >> 24)]
      crc ^= tables[0x300 + Int(bytes[index + 4])] ^ tables[0x200 + Int(bytes[index + 5])]
      crc ^= tables[0x100 + Int(bytes[index + 6])] ^ tables[Int(bytes[index + 7])]
      index += 8
    }
    while index < bytes.count {
      crc = tables[Int((crc ^ UInt32(bytes[index])) & 0xFF)] ^ crc >> 8
      index += 1
    }
    state = crc
  }

  /// Table k at 256·k: the effect of a byte that k further bytes follow.
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var crc = UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
      tables[byte] = crc
    }
    for entry in 256..<tables.count {
      let before = tables[entry - 256]
      tables[entry] = tables[Int(before & 0xFF)] ^ before >> 8
    }
    return tables
  }()
}
