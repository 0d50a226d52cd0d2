// SPDX-License-Identifier: Apache-2.0

/// A short form of pictures that are mostly black.
///
///     blacks, others, the others' values, blacks, others, …
///
/// Numbers have seven bits a byte, lowest first, the eighth bit set when more follow. Blacks at the
/// end are left out. Equal pictures have equal forms.
package enum ZeroRuns {
  /// Fewer blacks than this stay among the others.
  private static let shortest = 3

  /// The form of a picture.
  package static func coded(_ pixels: [UInt8]) -> [UInt8] {
    var code: [UInt8] = []
    var place = 0
    while let start = pixels[place...].firstIndex(where: { $0 != 0 }) {
      var (end, next) = (start + 1, start + 1)
      while next < pixels.count, next - end < shortest {
        if pixels[next] != 0 { end = next + 1 }
        next += 1
      }
      append(start - place, to: &code)
      append(end - start, to: &code)
      code += pixels[start..<end]
      place = end
    }
    return code
  }

  /// Adds the picture's values plus 1 to tokens.
  ///
  /// - Precondition: `isValid` holds.
  package static func append(_ code: ArraySlice<UInt8>, pixels: Int, to tokens: inout [Int32]) {
    let end = tokens.count + pixels
    var place = code.startIndex
    while place < code.endIndex {
      tokens.append(contentsOf: repeatElement(1, count: number(code, &place)))
      let others = number(code, &place)
      for value in code[place..<(place + others)] { tokens.append(Int32(value) + 1) }
      place += others
    }
    tokens.append(contentsOf: repeatElement(1, count: end - tokens.count))
  }

  /// Whether this is the form of a picture with so many pixels.
  static func isValid(_ code: ArraySlice<UInt8>, pixels: Int) -> Bool {
    var (place, total) = (code.startIndex, 0)
    while place < code.endIndex {
      total += number(code, &place)
      let others = number(code, &place)
      total += others
      guard total <= pixels, others <= code.endIndex - place else { return false }
      place += others
    }
    return true
  }

  private static func append(_ number: Int, to code: inout [UInt8]) {
    var rest = number
    while rest >= 0x80 {
      code.append(UInt8(rest & 0x7F | 0x80))
      rest >>= 7
    }
    code.append(UInt8(rest))
  }

  /// The number at a place; what the code lacks counts as 0.
  private static func number(_ code: ArraySlice<UInt8>, _ place: inout Int) -> Int {
    var (number, shift) = (0, 0)
    while place < code.endIndex, shift < 28 {
      let byte = code[place]
      place += 1
      number |= Int(byte & 0x7F) << shift
      shift += 7
      if byte < 0x80 { break }
    }
    return number
  }
}
