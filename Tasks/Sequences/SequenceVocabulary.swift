// SPDX-License-Identifier: Apache-2.0

import Base

/// Which tokens and classes a user's own sequences have.
struct SequenceVocabulary: Sendable {
  /// What sequences are written as.
  let form: SequenceFile.Form
  /// Padding included.
  let tokens: Int
  /// The number of classes.
  let classes: Int
  /// What the classes are called; empty where labels are the numbers of the classes.
  let names: [String]

  /// What a label's text stands for, nil where there is no such class.
  func label(_ text: String) -> Int? {
    let number = Int(text).flatMap { (0..<classes).contains($0) ? $0 : nil }
    return names.firstIndex(of: text) ?? number
  }

  /// The classes for people.
  var labelText: String { names.isEmpty ? "0 to \(classes - 1)" : names.joined(separator: ", ") }

  /// Puts a vocabulary together from what is known of it.
  init(form: SequenceFile.Form, tokens: Int, classes: Int, names: [String]) {
    (self.form, self.tokens, self.classes, self.names) = (form, tokens, classes, names)
  }

  /// That of all examples of some files: labels that are whole numbers are classes, others are names,
  /// sorted.
  ///
  /// - Throws: `UserError` for files of different forms, or a label that is no class.
  init(of files: [SequenceFile]) throws {
    guard let first = files.first else { preconditionFailure("SequenceVocabulary: no files") }
    if let other = files.first(where: { $0.form != first.form }) {
      throw UserError(
        .badData,
        "\(other.path) holds \(other.form.rawValue), but \(first.path) \(first.form.rawValue)",
        remedy: "write all files in the same form")
    }
    form = first.form
    tokens =
      form == .text
      ? SequenceFile.textVocabulary : files.map { Int($0.largest.token) + 1 }.max() ?? 2
    let all = files.flatMap { file in file.labels.map { (file, $0) } }
    let numbers = all.compactMap { Int($0.1.text) }
    guard numbers.count == all.count else {
      let sorted = Set(all.map(\.1.text)).sorted()
      (names, classes) = (sorted, max(2, sorted.count))
      try Self.check(all, sorted)
      return
    }
    for ((file, label), number) in zip(all, numbers)
    where !(0..<SequenceFile.mostClasses).contains(number) {
      throw file.problem(
        label.first,
        "the label is \(number), but classes are numbered from 0 to "
          + "\(SequenceFile.mostClasses - 1)", remedy: "number the classes from 0, or name them")
    }
    (names, classes) = ([], max(2, (numbers.max() ?? 0) + 1))
  }

  private static func check(
    _ labels: [(SequenceFile, SequenceFile.Label)], _ names: [String]
  ) throws {
    for (file, label) in labels where label.text.contains(",") || label.text.count > 60 {
      throw file.problem(
        label.first, "the label \(label.text.prefix(60).debugDescription) is no name of a class",
        remedy: "names have at most 60 characters and no comma")
    }
    guard names.count <= SequenceFile.mostClasses else {
      throw UserError(
        .badData,
        "the files have \(names.count) different labels together, more than "
          + "\(SequenceFile.mostClasses)", remedy: "use the same labels in all files")
    }
  }
}
