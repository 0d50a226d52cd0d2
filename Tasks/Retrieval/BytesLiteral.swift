// SPDX-License-Identifier: Apache-2.0

/// The bytes that a literal of Python such as `b'\xc3\xa9\n'` stands for; other text stays as it is.
///
/// It may be cut off anywhere. Nothing at all becomes a blank, so that there is something to read.
///
/// Source: what `repr` of Python writes for bytes: `\\`, `\'`, `\"`, `\t`, `\n`, `\r` and `\x` with two
/// digits. As in Python, other characters behind a backslash stand for both.
package func bytesOfLiteral(_ text: [UInt8]) -> [UInt8] {
  guard text.count >= 2, text[0] == UInt8(ascii: "b"),
    text[1] == UInt8(ascii: "'") || text[1] == UInt8(ascii: "\"")
  else { return text }
  let quote = text[1]
  var bytes: [UInt8] = []
  bytes.reserveCapacity(text.count)
  var rest = text[2...]
  while let byte = rest.popFirst(), byte != quote {
    guard byte == UInt8(ascii: "\\") else {
      bytes.append(byte)
      continue
    }
    guard let escape = rest.popFirst() else { break }
    appendMeaning(of: escape, &rest, to: &bytes)
  }
  return bytes.isEmpty ? [UInt8(ascii: " ")] : bytes
}

/// Appends what a backslash and a character stand for; nothing where digits are cut off.
private func appendMeaning(
  of escape: UInt8, _ rest: inout ArraySlice<UInt8>, to bytes: inout [UInt8]
) {
  switch escape {
  case UInt8(ascii: "t"): bytes.append(0x09)
  case UInt8(ascii: "n"): bytes.append(0x0A)
  case UInt8(ascii: "r"): bytes.append(0x0D)
  case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): bytes.append(escape)
  case UInt8(ascii: "x"):
    let digits = rest.prefix(2)
    guard digits.count == 2 else { return rest.removeAll() }
    if let high = digit(digits.first), let low = digit(digits.last) {
      bytes.append(high << 4 | low)
      rest = rest.dropFirst(2)
    } else {
      bytes += [UInt8(ascii: "\\"), escape]
    }
  default: bytes += [UInt8(ascii: "\\"), escape]
  }
}

/// The value of a hexadecimal digit.
private func digit(_ byte: UInt8?) -> UInt8? {
  guard let byte, let value = Character(UnicodeScalar(byte)).hexDigitValue else { return nil }
  return UInt8(value)
}
