// SPDX-License-Identifier: Apache-2.0

import Base

extension SequenceFile {
  /// Endings of the files that can be read.
  static let endings = [".tsv", ".tsv.gz", ".safetensors"]

  /// Reads a file, by its ending.
  ///
  /// - Throws: `UserError` that names the file and the line or row.
  package static func read(_ path: String) throws -> SequenceFile {
    path.hasSuffix(".safetensors") ? try tensors(path) : try table(path)
  }

  /// Reads a table: a header `label<TAB>tokens` or `label<TAB>text`, then one example a line.
  ///
  ///     label<TAB>tokens        label<TAB>text
  ///     1<TAB>4 17 2 9          positive<TAB>A film of é
  ///
  /// Tokens are whole numbers from 1 on with blanks between them. Of a text the blanks at both ends do
  /// not count; tabs inside belong to it.
  package static func table(_ path: String) throws -> SequenceFile {
    let reader = try LineReader(path)
    guard let header = try reader.next() else {
      throw UserError(.badData, "\(path): the file is empty", remedy: "write a header and examples")
    }
    let forms = [Form.tokens, .text].first { header.elementsEqual("label\t\($0.rawValue)".utf8) }
    guard let form = forms else {
      throw reader.problem(
        "the first line is neither label<TAB>tokens nor label<TAB>text: "
          + (foreignEncoding(header) ?? shownText(header)),
        remedy:
          "save the table as UTF-8 with one of these headers, a tab between the columns, no comma")
    }
    var file = SequenceFile(path, form) { "\(path):\($0 + 2)" }
    var sequence: [Int32] = []
    while let line = try reader.next() {
      do throws(Fault) {
        let (label, rest) = try split(line)
        sequence.removeAll(keepingCapacity: true)
        switch form {
        case .tokens: try parse(rest, into: &sequence)
        case .text: sequence += trimmed(rest).lazy.map { Int32($0) + 1 }
        }
        try file.append(sequence, label: label)
      } catch {
        throw reader.problem(error.problem, remedy: error.remedy)
      }
    }
    return try file.checkedCount()
  }

  /// Reads a file of arrays: `labels` [N], and either `tokens` [N, L], padded with 0 at the right, or
  /// `tokens` [T] of all sequences back to back with `offsets` [N + 1]; all U8, I32 or I64.
  package static func tensors(_ path: String) throws -> SequenceFile {
    let arrays = try SafeTensors(contentsOf: path)
    let labels = try wholeNumbers("labels", arrays, path)
    let tokens = try wholeNumbers("tokens", arrays, path)
    let ranges = try ranges(of: tokens, labels.count, arrays, path)
    var file = SequenceFile(path, .tokens) { "\(path): row \($0)" }
    for (label, range) in zip(labels, ranges) {
      do throws(Fault) {
        try file.append(checked(tokens[range]), label: "\(label)")
      } catch {
        throw file.problem(file.count, error.problem, remedy: error.remedy)
      }
    }
    return try file.checkedCount()
  }

  private func checkedCount() throws -> SequenceFile {
    guard count > 0 else {
      throw UserError(.badData, "\(path): there are no examples", remedy: "write some")
    }
    return self
  }

  // MARK: Tables

  private static func split(
    _ line: ArraySlice<UInt8>
  ) throws(Fault) -> (label: String, rest: ArraySlice<UInt8>) {
    guard let tab = line.firstIndex(of: UInt8(ascii: "\t")) else {
      throw Fault(
        problem: line.isEmpty ? "the line is empty" : "there is no tab behind the label",
        remedy: "write label, tab, sequence; one example a line")
    }
    guard let label = String(validating: trimmed(line[..<tab]), as: UTF8.self), !label.isEmpty
    else {
      throw Fault(problem: "the label is empty or no UTF-8", remedy: "write one before the tab")
    }
    return (label, line[(tab + 1)...])
  }

  private static func parse(
    _ text: ArraySlice<UInt8>, into sequence: inout [Int32]
  ) throws(Fault) {
    for word in text.split(whereSeparator: isBlank) {
      var number = 0
      for digit in word {
        guard (0x30...0x39).contains(digit), number <= largestToken else { throw noToken(word) }
        number = number * 10 + Int(digit - 0x30)
      }
      guard 1...largestToken ~= number else { throw noToken(word) }
      sequence.append(Int32(number))
    }
  }

  private static func noToken(_ word: ArraySlice<UInt8>) -> Fault {
    Fault(
      problem: "\(shownText(word, atMost: 20)) is no token",
      remedy: "tokens are whole numbers from 1 to \(largestToken), with blanks between them; for "
        + "text let the header be label<TAB>text")
  }

  // MARK: Arrays

  private static func wholeNumbers(
    _ name: String, _ arrays: SafeTensors, _ path: String
  ) throws -> [Int64] {
    guard let entry = arrays[name] else {
      throw UserError(
        .badData, "\(path): there is no array \(name)",
        remedy: "write labels and tokens, of type U8, I32 or I64")
    }
    return entry.kind == .u8
      ? try arrays.bytes(name).map(Int64.init) : try arrays.integers(name)
  }

  private static func ranges(
    of tokens: [Int64], _ count: Int, _ arrays: SafeTensors, _ path: String
  ) throws -> [Range<Int>] {
    if arrays["offsets"] != nil {
      let offsets = try wholeNumbers("offsets", arrays, path)
      guard offsets.count == count + 1, offsets.first == 0, offsets.last == Int64(tokens.count),
        zip(offsets, offsets.dropFirst()).allSatisfy({ $0 <= $1 })
      else {
        throw UserError(
          .badData,
          "\(path): offsets do not cut the \(tokens.count) tokens into \(count) sequences",
          remedy: "write one more than labels, rising from 0 to the number of tokens")
      }
      return zip(offsets, offsets.dropFirst()).map { Int($0)..<Int($1) }
    }
    guard let shape = arrays["tokens"]?.shape, shape.count == 2, shape[0] == count else {
      throw UserError(
        .badData,
        "\(path): tokens has the shape \(arrays["tokens"]?.shape ?? []), not "
          + "[\(count), L], one row for each label",
        remedy: "pad the rows with 0 at the right, or write all tokens in one row with offsets")
    }
    return (0..<count).map { row in
      let start = row * shape[1]
      let length = tokens[start..<start + shape[1]].lastIndex { $0 != 0 }.map { $0 + 1 - start }
      return start..<start + (length ?? 0)
    }
  }

  private static func checked(_ sequence: ArraySlice<Int64>) throws(Fault) -> [Int32] {
    if let wrong = sequence.firstIndex(where: { !(1...Int64(largestToken) ~= $0) }) {
      throw Fault(
        problem: "token \(wrong - sequence.startIndex) is \(sequence[wrong]), not from 1 to "
          + "\(largestToken)", remedy: "0 is padding and may only follow the last token")
    }
    return sequence.map { Int32($0) }
  }
}
