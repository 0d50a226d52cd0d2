// SPDX-License-Identifier: Apache-2.0

import Base

/// A classification of sequences that a user brings: tokens or texts with labels, in tables or in
/// safetensors files; nothing is written in Swift.
///
/// `<data folder>` or its folder `sequences` holds `train`, `test` and perhaps `val`, each as `.tsv`,
/// `.tsv.gz` or `.safetensors`; the formats are those of ``SequenceFile``. Without a `val` file a tenth
/// of the training examples is held out, in a random order that `task.seed` gives.
///
/// Source: none; the data are the user's.
/// Differs: nothing to differ from.
package struct Sequences: ArenaTask {
  /// What the data say of themselves, noted with each run: a model can be used without its data.
  struct Own: SettingSection {
    static let section = TaskSettings.section
    @Knob("tokens: numbers from 1 on; text: each byte plus 1; the data say which")
    var form = SequenceFile.Form.tokens
    @Knob("the number of classes, which the data say", 2...SequenceFile.mostClasses)
    var classes = 2
    @Knob("the greatest token plus 1, which the data say", 2...SequenceFile.largestToken + 1)
    var vocabulary = SequenceFile.textVocabulary
    @Knob("names of the classes with commas between them, which the data say; empty for numbers")
    var labels = ""
  }

  /// The name on the command line and of the data folder.
  package static let name = "sequences"
  /// The name in headings and tables.
  package static let title = "Sequences"
  /// What brings the data there.
  package static let dataCommand = "docs/tasks.md#sequences"
  static let usualLength = 1024
  private static let remedy =
    "put train.tsv and test.tsv there (docs/tasks.md#sequences), or name another folder with --data"

  /// As many as the data have.
  package var classes: Int { vocabularies.classes }
  /// As the data name them, else their numbers.
  package var classNames: [String] {
    let names = vocabularies.names
    return (0..<classes).map { names.indices.contains($0) ? names[$0] : "\($0)" }
  }
  /// As many as the data have.
  package var vocabulary: Int { vocabularies.tokens }
  /// The greatest number of tokens; longer sequences are cut.
  package let length: Int
  private let options: TaskOptions
  private let vocabularies: SequenceVocabulary
  private let files = Cache<String, SequenceFile>()
  private let splits = Cache<Split, Content>()

  /// One split.
  private struct Content: Sendable {
    let source: TokenExamples
    /// The number of examples of which the end was cut off.
    let cut: Int
  }

  /// The task for given options.
  ///
  /// - Throws: `UserError` of kind `usage` for a length or count that is not positive, or names of
  ///   classes that are not as many as classes.
  package init(_ options: TaskOptions) throws {
    self.options = options
    length = options.length ?? Self.usualLength
    try options.validate(usualLength: Self.usualLength)
    let own = try options.own(Own.self)
    let names = own.labels.split(separator: ",").map(String.init)
    guard names.isEmpty || max(2, names.count) == own.classes else {
      throw UserError(
        .usage, "task.labels names \(names.count) classes, but task.classes is \(own.classes)",
        remedy: "leave both out: the data say it")
    }
    vocabularies = SequenceVocabulary(
      form: own.form, tokens: own.vocabulary, classes: own.classes, names: names)
  }

  /// What the data in a folder say of tokens, classes and lengths; nothing where there are none.
  ///
  /// - Throws: `UserError` for files that cannot be read.
  static func derived(dataFolder: String) throws -> [PresetValue] {
    let task = try Sequences(TaskOptions(dataFolder: dataFolder))
    guard let folder = try task.source(.train).find() else { return [] }
    let files = try Split.allCases.map(task.file)
    let found = try SequenceVocabulary(of: files)
    let values: KeyValuePairs<String, Setting> = [
      "task.form": found.form.setting, "task.classes": .integer(found.classes),
      "task.vocabulary": .integer(found.tokens),
      "task.labels": .text(found.names.joined(separator: ",")),
      "task.length": .integer(files.map(\.longest).max() ?? usualLength),
    ]
    return values.map { PresetValue($0, $1, source: "the data in \(folder)") }
  }

  /// Reads all files.
  ///
  /// - Throws: `UserError` for files that are missing or wrong.
  package func prepare(report: (String) -> Void) throws {
    for split in Split.allCases { _ = try content(split) }
  }

  /// The examples of one split, read on the first call and then kept in memory.
  package func examples(_ split: Split) throws -> any ExampleSource { try content(split).source }

  /// The examples of another file.
  package func examples(at path: String) throws -> GivenExamples {
    let file = try SequenceFile.read(path)
    let cut = file.longer(than: length, Array(0..<file.count))
    return GivenExamples(
      try file.examples(vocabularies, length: length), of: path, cut: cut, to: length)
  }

  /// The folder, and what the validation split is.
  package func provenance() throws -> String {
    let cut = try Split.allCases.reduce(0) { $0 + (try content($1).cut) }
    let held =
      try path(.val) == nil
      ? ", validated on \(try content(.val).source.count) training examples held out, seed "
        + "\(options.seed)" : ""
    return try "read from \(folder())\(held)"
      + (cut > 0 ? ", \(cut) examples cut to \(length) tokens" : "")
      + options.shortfall { try content($0).source.count }
  }

  /// The folder of the files.
  package func sourceFolder() throws -> String? { try folder() }

  /// The text, or the numbers of the tokens.
  package func describe(_ tokens: [Int32]) -> String {
    vocabularies.form == .text
      ? byteText(tokens) : tokens.map { "\($0)" }.joined(separator: " ")
  }

  // MARK: Files

  private func source(_ split: Split) -> SourceFolder {
    SourceFolder(
      places: ["\(options.dataFolder)/\(Self.name)", options.dataFolder], root: nil,
      names: [split.rawValue], endings: SequenceFile.endings, remedy: Self.remedy)
  }

  private func folder() throws -> String {
    if let found = try source(.train).find() { return found }
    throw UserError(
      .missingInput,
      "there is no train.tsv, train.tsv.gz or train.safetensors in \(options.dataFolder) or "
        + "\(options.dataFolder)/\(Self.name)", remedy: Self.remedy)
  }

  /// The file of one split; nil where there is no `val`.
  private func path(_ split: Split) throws -> String? {
    let folder = try folder()
    let paths = SequenceFile.endings.map { "\(folder)/\(split.rawValue)\($0)" }
      .filter(FileSystem.exists)
    guard paths.count <= 1 else {
      throw UserError(
        .missingInput, "\(paths.joined(separator: " and ")) are both there",
        remedy: "keep one of them")
    }
    guard !paths.isEmpty || split == .val else {
      throw UserError(
        .missingInput, "\(folder): there is no \(split.rawValue).tsv", remedy: Self.remedy)
    }
    return paths.first
  }

  /// The file that a split is taken from: its own, else that of the training examples.
  private func file(_ split: Split) throws -> SequenceFile {
    guard let path = try path(split) else { return try file(.train) }
    return try files.value(path) { try SequenceFile.read(path) }
  }

  private func content(_ split: Split) throws -> Content {
    try splits.value(split) {
      let file = try file(split)
      var order = Array(0..<file.count)
      if split != .test, try path(.val) == nil {
        order = permutation(count: file.count, seed: options.seed, epoch: 0)
        let held = max(1, file.count / 10)
        order = Array(split == .val ? order.prefix(held) : order.dropFirst(held))
      }
      let chosen = try options.chosen(split, of: order)
      let all = try file.examples(vocabularies, length: length)
      return Content(
        source: all.subset(chosen), cut: file.longer(than: length, chosen))
    }
  }
}
