// SPDX-License-Identifier: Apache-2.0

import Base

/// One line of a file of pairs: a label, then texts or names, with tabs between them.
///
/// Nothing else has a meaning: quotes, NUL and bytes that are no UTF-8 are data. A carriage return at
/// the end belongs to the line's end.
package struct PairLine {
  /// What is wrong with a line.
  package struct Fault: Error {
    package let text: String
  }

  /// The class: 1 where one paper cites the other.
  package let label: UInt8
  /// Where the fields after the label lie.
  package let fields: [Range<Int>]

  private static let tab = UInt8(ascii: "\t")

  /// Takes a line apart.
  ///
  /// - Parameters:
  ///   - bytes: what the line is a part of.
  ///   - line: its place, without the line feed.
  ///   - names: what the fields are called, the label first.
  /// - Throws: what is wrong, without file and line.
  package init(_ bytes: [UInt8], _ line: Range<Int>, names: [String]) throws(Fault) {
    let hasReturn = !line.isEmpty && bytes[line.upperBound - 1] == UInt8(ascii: "\r")
    let line = hasReturn ? line.lowerBound..<line.upperBound - 1 : line
    var fields: [Range<Int>] = []
    fields.reserveCapacity(names.count)
    var start = line.lowerBound
    while let tab = bytes.firstPlace(of: Self.tab, in: start..<line.upperBound) {
      fields.append(start..<tab)
      start = tab + 1
    }
    fields.append(start..<line.upperBound)
    guard fields.count == names.count else {
      let found = line.isEmpty ? "is empty" : fields.count == 1 ? "has no tab" : nil
      let shown = line.isEmpty ? "" : "; it begins \(shownText(bytes[line], atMost: 40))"
      throw Fault(
        text: "the line \(found ?? "has \(fields.count) fields"), but should have "
          + "\(names.count) with tabs between them: \(names.joined(separator: ", "))"
          + (foreignEncoding(bytes[line]).map { "; \($0)" } ?? shown))
    }
    label = try Self.label(bytes[fields[0]])
    self.fields = Array(fields.dropFirst())
  }

  /// 0 or 1, written as a number with or without a fraction.
  private static func label(_ field: ArraySlice<UInt8>) throws(Fault) -> UInt8 {
    let value = field.count > 40 ? nil : Double(String(decoding: field, as: UTF8.self))
    if value == 0 { return 0 }
    if value == 1 { return 1 }
    if let encoding = foreignEncoding(field) { throw Fault(text: encoding) }
    throw Fault(text: "the label is \(shownText(field, atMost: 40)), neither 0 nor 1")
  }
}
