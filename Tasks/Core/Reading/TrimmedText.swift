// SPDX-License-Identifier: Apache-2.0

/// Space, tab, line feed, vertical tab, form feed or carriage return: what Python's `bytes.strip`
/// removes.
func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

/// A text without the blanks at its ends.
func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
  let start = bytes.drop(while: isBlank)
  return start[..<(start.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? start.startIndex)]
}
