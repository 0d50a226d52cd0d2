// SPDX-License-Identifier: Apache-2.0

import Base
import Tasks
import Testing

@Suite struct PathfinderMetadataTests {
  /// Rows of the genuine release's form.
  private static let text = """
    imgs/3 sample_0.png 0 1 1.0 14 4 2 0.5 1 1
    imgs/3 sample_1.png 1 0 1.0 14 4 2 0.5 1 1

    """
  private static let expected = ["imgs/3 sample_0.png 1", "imgs/3 sample_1.png 0"]

  /// The same as NumPy saves it: `np.array([row.split() …])`.
  private static func array(
    version: UInt8 = 1, width: Int = 13, unicode: Bool = false, shape: String = "(2, 11)"
  ) -> [UInt8] {
    let kind = unicode ? "<U" : "|S"
    var header = "{'descr': '\(kind)\(width)', 'fortran_order': False, 'shape': \(shape), }"
    let prefix = version == 1 ? 10 : 12
    while (prefix + header.utf8.count + 1) % 64 != 0 { header += " " }
    header += "\n"
    let length = header.utf8.count
    let size = [UInt8(length & 255), UInt8(length >> 8)] + (version == 1 ? [] : [0, 0])
    let fields = text.split(whereSeparator: \.isWhitespace)
    let content = fields.flatMap { field in
      (0..<width).flatMap { place -> [UInt8] in
        let byte = place < field.utf8.count ? Array(field.utf8)[place] : 0
        return unicode ? [byte, 0, 0, 0] : [byte]
      }
    }
    return [0x93] + Array("NUMPY".utf8) + [version, 0] + size + Array(header.utf8) + content
  }

  private func rows(_ bytes: [UInt8]) throws -> [String] {
    try PathfinderMetadata.rows(bytes, "0.npy").map { "\($0.folder) \($0.file) \($0.label)" }
  }

  @Test("Text is read, as the release has it, with any ends of lines")
  func text() throws {
    #expect(try rows(Array(Self.text.utf8)) == Self.expected)
    #expect(try rows(Array(Self.text.dropLast().utf8)) == Self.expected)
    #expect(
      try rows(Array(Self.text.replacing("\n", with: "\r\n").utf8)) == Self.expected)
  }

  @Test("Arrays of strings are read, as the generator saves them, in every version")
  func arrays() throws {
    // The first bytes of a file that numpy 2.4 wrote.
    #expect(
      Array(Self.array().prefix(24)) == [
        0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0, 0x76, 0, 0x7B, 0x27, 0x64, 0x65, 0x73, 0x63,
        0x72, 0x27, 0x3A, 0x20, 0x27, 0x7C, 0x53, 0x31,
      ])
    for bytes in [
      Self.array(), Self.array(version: 2), Self.array(version: 3), Self.array(width: 40),
      Self.array(unicode: true),
    ] { #expect(try rows(bytes) == Self.expected) }
  }

  @Test(
    "Wrong rows are named by their number",
    arguments: [
      ("imgs/0 sample_0.png 0 1 1.0 14 4 2 0.5 1", "the row has 10 fields, not 11"),
      ("imgs/0 sample_0.png 0 1 1.0 14 4 2 0.5 1 1 9", "the row has 12 fields, not 11"),
      ("", "the row has 0 fields, not 11"),
      ("imgs/0 sample_0.png 0 2 1.0 14 4 2 0.5 1 1", "the label \"2\" is not 0 or 1"),
      ("imgs/0 sample_0.png 0 1.0 1 14 4 2 0.5 1 1", "the label \"1.0\" is not 0 or 1"),
      (
        "imgs/.. sample_0.png 0 1 1.0 14 4 2 0.5 1 1", "the folder \"imgs/..\" is not imgs/<number>"
      ),
      (
        "imgs/0 ../../secret.png 0 1 1.0 14 4 2 0.5 1 1",
        "the file \"../../secret.png\" is not sample_<number>.png"
      ),
    ])
  func wrongRows(row: String, problem: String) throws {
    let good = Self.text.split(separator: "\n")[0]
    let error = userError { _ = try rows(Array("\(good)\n\(row)\n".utf8)) }
    #expect(error?.kind == .badData && error?.problem == "0.npy:2: \(problem)")
    #expect(error?.remedy.contains("unpack the archive again") == true)
  }

  @Test("Wrong files are named")
  func wrongFiles() throws {
    for (bytes, problem) in [
      ([], "there are no rows in the file"),
      ([0xFF, 0xFE, 0x41], "the file is UTF-16, not UTF-8"),
      ([0x41, 0xFF, 0x41], "this is neither text nor a NumPy array"),
      (Array("ab\0".utf8), "this is neither text nor a NumPy array"),
      (Array(Self.array().prefix(9)), "the array is cut short"),
      (Array(Self.array().prefix(60)), "the array is cut short"),
      (Array(Self.array().dropLast()), "the array is not as long as its header says"),
      (Self.array(shape: "(3, 11)"), "the array is not as long as its header says"),
      (Self.array(shape: "(2, 10)"), "the array has 10 columns, not 11"),
      (Self.array(shape: "(22,)"), "the array is not a table of strings"),
      (Self.array(version: 9), "version 9 of the array's format is not known"),
    ] as [([UInt8], String)] {
      #expect(userError { _ = try rows(bytes) }?.problem == "0.npy: \(problem)")
    }
  }

  @Test("Changed files end in rows or in an error, never in a crash")
  func fuzz() throws {
    var random = RandomStream(seed: 3, stream: fnv1a("metadata"))
    for genuine in [Array(Self.text.utf8), Self.array(), Self.array(unicode: true)] {
      var readable = 0
      for _ in 0..<300 {
        do {
          _ = try rows(mutated(genuine, &random))
          readable += 1
        } catch { #expect(error is UserError) }
      }
      #expect(readable > 20 && readable < 290)
    }
  }
}
