// SPDX-License-Identifier: Apache-2.0

import Base

/// The original's files: `Source<TAB>Target`, one fully bracketed expression and its value a line.
///
///     ( ( ( [MAX 4 ) 3 ) ] )<TAB>4
///
/// Source: google-research/long-range-arena @cd31e5c, lra_benchmarks/data/listops.py and
/// lra_benchmarks/listops/input_pipeline.py (round brackets are dropped, `]` may be written `X`).
package enum ListOpsTSV {
  /// What one file holds.
  package struct Content {
    package var examples = PackedExamples(classes: 10)
    /// The number of examples of which the end was cut off.
    package var cut = 0
  }

  /// The file of one split.
  package static func name(_ split: Split) -> String { "basic_\(split.rawValue).tsv" }

  /// Where the original's files are, packed with gzip or not.
  static func source(in dataFolder: String) -> SourceFolder {
    let places = [
      "listops/lra_release/lra_release/listops-1000", "listops/lra_release/listops-1000",
      "listops/listops-1000", "listops", "lra_release/lra_release/listops-1000",
      "lra_release/listops-1000",
    ]
    return SourceFolder(
      places: places.map { "\(dataFolder)/\($0)" }, root: "\(dataFolder)/listops",
      names: Split.allCases.map(name), endings: ["", ".gz"],
      remedy: "add what is missing, or remove the others to generate the data")
  }

  /// Reads a file, checking every expression and every label.
  ///
  /// - Parameters:
  ///   - length: longer expressions keep their first tokens, as in the original.
  ///   - count: examples to keep at most, nil for all.
  /// - Throws: `UserError` of kind `badData` with file and line.
  package static func read(_ path: String, length: Int, count: Int?) throws -> Content {
    let reader = try LineReader(path)
    guard let header = try reader.next() else {
      throw UserError(.badData, "\(path): the file is empty", remedy: "fetch it again")
    }
    guard header.elementsEqual("Source\tTarget".utf8) else {
      throw reader.problem(
        "the first line is not Source<TAB>Target: " + found(header),
        remedy: "save the table as UTF-8 with these two columns, tabs and a header")
    }
    var content = Content()
    var parser = ListOpsLineParser()
    while let line = try reader.next() {
      do {
        let label = try parser.parse(line)
        if let count, content.examples.count == count { continue }
        content.examples.append(parser.tokens.prefix(length), label: label)
        if parser.tokens.count > length { content.cut += 1 }
      } catch {
        throw reader.problem(error.text, remedy: "correct the line, or fetch the file again")
      }
    }
    return try checked(content, path)
  }

  /// What stands in place of the header.
  private static func found(_ line: ArraySlice<UInt8>) -> String {
    if let encoding = foreignEncoding(line) { return encoding }
    var parser = ListOpsLineParser()
    if (try? parser.parse(line)) != nil { return "the header is missing, the table begins at once" }
    let columns = line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false).count
    return "there are \(columns) columns, \(shownText(line))"
  }

  private static func checked(_ content: Content, _ path: String) throws -> Content {
    if content.examples.count == 0 {
      throw UserError(
        .badData, "\(path): there are no lines after the header", remedy: "fetch the file again")
    }
    return content
  }

  private static let words = ListOpsToken.texts.map { Array($0.utf8) }
  private static let opening = Array("( ".utf8)
  private static let closing = Array(" )".utf8)

  /// One line as the original writes it, with CR LF.
  ///
  /// - Precondition: the tokens are a whole expression.
  package static func line(_ tokens: ArraySlice<UInt8>, label: UInt8) -> [UInt8] {
    let counts = argumentCounts(tokens)
    var line: [UInt8] = []
    line.reserveCapacity(tokens.count * 8)
    var depth = 0
    for (token, count) in zip(tokens, counts) {
      if ListOpsToken.isOperator(token) {
        for _ in 0...count { line += opening }
        depth += 1
      }
      line += words[Int(token)]
      if token == ListOpsToken.close {
        line += closing
        depth -= 1
      }
      let endsArgument = !ListOpsToken.isOperator(token) && depth > 0
      if endsArgument { line += closing }
      line.append(UInt8(ascii: " "))
    }
    line.removeLast()
    return line + "\t\(label)\r\n".utf8
  }

  /// For each operator token its number of arguments, 0 for other tokens.
  private static func argumentCounts(_ tokens: ArraySlice<UInt8>) -> [Int] {
    var counts = [Int](repeating: 0, count: tokens.count)
    var open: [Int] = []
    for (place, token) in tokens.enumerated() {
      if ListOpsToken.isOperator(token) {
        open.append(place)
        continue
      }
      if token == ListOpsToken.close { open.removeLast() }
      if let parent = open.last { counts[parent] += 1 }
    }
    return counts
  }
}
