// SPDX-License-Identifier: Apache-2.0

import Base

/// Tables of strings as NumPy saves them.
///
///     93 "NUMPY" | 1 0 | u16 header length | {'descr': '|S13', 'fortran_order': False,
///     'shape': (100, 11), } and blanks | strings of 13 bytes, row by row, filled up with NUL
///
/// In versions 2 and 3 the length is a u32. Python 3 saves `<U13`, four bytes a character.
///
/// Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
enum NumPyStrings {
  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// What the header says.
  private struct Layout {
    let rows: Int
    let columns: Int
    /// Characters of a string.
    let width: Int
    /// Bytes of a character.
    let unit: Int
  }

  /// The strings, without what fills them up.
  ///
  /// - Throws: `UserError` of kind `badData`, naming the file `path`.
  static func rows(_ bytes: [UInt8], _ path: String, columns: Int) throws -> [[String]] {
    let (header, start) = try header(bytes, path)
    guard let layout = layout(header) else {
      throw wrong(path, "the array is not a table of strings")
    }
    guard layout.columns == columns else {
      throw wrong(path, "the array has \(layout.columns) columns, not \(columns)")
    }
    let size = layout.width * layout.unit
    let (count, overflow) = layout.rows.multipliedReportingOverflow(by: columns * size)
    guard !overflow, bytes.count - start == count else {
      throw wrong(path, "the array is not as long as its header says")
    }
    return (0..<layout.rows).map { row in
      (0..<columns).map { column in
        let place = start + (row * columns + column) * size
        let units = stride(from: place, to: place + size, by: layout.unit).map { bytes[$0] }
        return String(decoding: units.prefix { $0 != 0 }, as: UTF8.self)
      }
    }
  }

  /// The header's text and where the strings begin.
  private static func header(_ bytes: [UInt8], _ path: String) throws -> (String, start: Int) {
    guard bytes.count >= 12 else { throw wrong(path, "the array is cut short") }
    let lengthSize = bytes[6] == 1 ? 2 : 4
    guard (1...3).contains(bytes[6]) else {
      throw wrong(path, "version \(bytes[6]) of the array's format is not known")
    }
    let length = bytes[8..<(8 + lengthSize)].reversed().reduce(0) { $0 << 8 | Int($1) }
    let start = 8 + lengthSize
    guard length <= bytes.count - start else { throw wrong(path, "the array is cut short") }
    return (String(decoding: bytes[start..<(start + length)], as: UTF8.self), start + length)
  }

  private static func layout(_ header: String) -> Layout? {
    let kind = header.firstMatch(of: /'descr': '(\|S|<U)([0-9]{1,4})'/)
    let shape = header.firstMatch(of: /'shape': \(([0-9]{1,9}), ([0-9]{1,9})\)/)
    guard let kind, let shape, header.contains("'fortran_order': False"),
      let width = Int(kind.2), width > 0, let rows = Int(shape.1), let columns = Int(shape.2)
    else { return nil }
    return Layout(rows: rows, columns: columns, width: width, unit: kind.1 == "<U" ? 4 : 1)
  }

  private static func wrong(_ path: String, _ problem: String) -> UserError {
    UserError(.badData, "\(path): \(problem)", remedy: PathfinderFolder.remedy)
  }
}
