// SPDX-License-Identifier: Apache-2.0

import CZlib

/// The chunks of a PNG file that was changed.
enum PNGChunks {
  /// The file with checksums that fit, so that what lies behind them is reached.
  static func mended(_ file: [UInt8]) -> [UInt8] {
    var (bytes, place) = (file, 8)
    while place + 12 <= bytes.count {
      let length = bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
      guard length <= bytes.count - place - 12 else { break }
      let end = place + 8 + length
      let sum = bytes[place + 4..<end].withUnsafeBufferPointer {
        crc32(0, $0.baseAddress, UInt32($0.count))
      }
      for (byte, shift) in [24, 16, 8, 0].enumerated() {
        bytes[end + byte] = UInt8(truncatingIfNeeded: sum >> UInt(shift))
      }
      place = end + 4
    }
    return bytes
  }
}
