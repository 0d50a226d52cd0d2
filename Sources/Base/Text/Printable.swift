// SPDX-License-Identifier: Apache-2.0

/// A text that a terminal shows and does not obey.
///
/// Control characters but tabs and line ends, and marks that turn the direction of writing, become
/// their numbers, as `\u001B`, which JSON reads as the same characters.
package func printable(_ text: String) -> String {
  guard text.unicodeScalars.contains(where: steersTerminal) else { return text }
  return text.unicodeScalars.reduce(into: "") { result, scalar in
    guard steersTerminal(scalar) else { return result.unicodeScalars.append(scalar) }
    let digits = String(scalar.value, radix: 16, uppercase: true)
    result += "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }
}

private func steersTerminal(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 0x09, 0x0A: false
  case 0x00...0x1F, 0x7F...0x9F, 0x202A...0x202E, 0x2066...0x2069: true
  default: false
  }
}
