// SPDX-License-Identifier: Apache-2.0

/// Tokens that are bytes plus 1 as text; what would steer a terminal is shown by its number.
func byteText(_ tokens: [Int32]) -> String {
  let bytes = tokens.compactMap { UInt8(exactly: $0 - 1) }
  return String(decoding: bytes, as: UTF8.self).unicodeScalars.reduce(into: "") { text, scalar in
    let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
    text += isControl ? scalar.escaped(asASCII: true) : String(scalar)
  }
}
