// SPDX-License-Identifier: Apache-2.0

/// A text as one word of a POSIX shell: as it stands where it can, else in single quotes.
///
/// Every command that is printed for the user to type has its paths quoted by this.
package func shellQuoted(_ text: String) -> String {
  let isPlain = { (byte: UInt8) in
    byte > 0x7F || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
      || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte
      || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte || "_-./,:=@%+".utf8.contains(byte)
  }
  if !text.isEmpty, text.utf8.allSatisfy(isPlain) { return text }
  return "'"
    + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
    + "'"
}
