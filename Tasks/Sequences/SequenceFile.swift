// SPDX-License-Identifier: Apache-2.0

import Base

/// The labelled sequences of one file as they stand, before it is known which classes there are.
///
/// Source: none; the format is this program's own, described in docs/tasks.md.
package struct SequenceFile: Sendable {
  /// What a sequence is written as.
  package enum Form: String, SettingChoice {
    /// Numbers from 1 on.
    case tokens
    /// Text, of which each byte plus 1 is a token.
    case text
  }

  /// A label's text, and the first example that has it.
  struct Label: Sendable {
    let text: String
    let first: Int
  }

  /// Tokens of a text: padding and 256 bytes.
  static let textVocabulary = 257
  /// No token may be greater.
  static let largestToken = 1 << 20
  /// There may be no more classes.
  static let mostClasses = 256

  let path: String
  let form: Form
  /// What an example is called in messages: `my.tsv:2` or `my.safetensors: row 0`.
  private let exampleName: @Sendable (Int) -> String
  private var tokens: [Int32] = []
  private var ranges: [Range<Int>] = []
  /// Of each example, a place in `labels`.
  private var labelPlaces: [Int] = []
  private var places: [String: Int] = [:]
  /// The different labels, in the order in which they come.
  private(set) var labels: [Label] = []
  /// The greatest token, and the first example that has it.
  private(set) var largest = (token: Int32(0), example: 0)

  /// No examples yet.
  init(_ path: String, _ form: Form, exampleName: @escaping @Sendable (Int) -> String) {
    (self.path, self.form, self.exampleName) = (path, form, exampleName)
  }

  /// The number of examples.
  package var count: Int { ranges.count }
  /// The greatest number of tokens.
  var longest: Int { ranges.map(\.count).max() ?? 0 }

  /// What is wrong with an example.
  struct Fault: Error {
    let problem: String
    let remedy: String
  }

  /// Adds one example.
  mutating func append(_ sequence: some Collection<Int32>, label: String) throws(Fault) {
    guard let most = sequence.max() else {
      throw Fault(problem: "the sequence is empty", remedy: "leave the example out")
    }
    if places[label] == nil {
      guard labels.count < Self.mostClasses else {
        throw Fault(
          problem: "there are more than \(Self.mostClasses) different labels",
          remedy: "check that the labels are classes, not numbers of examples")
      }
      places[label] = labels.count
      labels.append(Label(text: label, first: count))
    }
    if most > largest.token { largest = (most, count) }
    ranges.append(tokens.count..<tokens.count + sequence.count)
    labelPlaces.append(places[label] ?? 0)
    tokens += sequence
  }

  /// An error in one example.
  func problem(_ example: Int, _ problem: String, remedy: String) -> UserError {
    UserError(.badData, "\(exampleName(example)): \(problem)", remedy: remedy)
  }

  /// How many of some examples have more tokens than a length.
  func longer(than length: Int, _ examples: [Int]) -> Int {
    examples.count { ranges[$0].count > length }
  }

  /// The examples, cut to a length.
  ///
  /// - Throws: `UserError` for a form, token or label that the vocabulary does not have.
  func examples(
    _ vocabulary: SequenceVocabulary, length: Int
  ) throws -> TokenExamples {
    guard form == vocabulary.form else {
      throw UserError(
        .badData,
        "\(path): the sequences are \(form.rawValue), but should be \(vocabulary.form.rawValue)",
        remedy: "write them as those that the model was trained on")
    }
    guard largest.token < vocabulary.tokens else {
      throw problem(
        largest.example,
        "there is a token \(largest.token), but the model knows those below "
          + "\(vocabulary.tokens)", remedy: "use the numbers of the data the model was trained on")
    }
    let classes = try labels.map { label in
      guard let known = vocabulary.label(label.text) else {
        throw problem(
          label.first,
          "the label \(label.text.debugDescription) is none of \(vocabulary.labelText)",
          remedy: "use the labels of the data the model was trained on")
      }
      return UInt8(known)
    }
    return TokenExamples(
      tokens, ranges: ranges.map { $0.prefix(length) }, labels: labelPlaces.map { classes[$0] },
      classes: vocabulary.classes)
  }
}
