// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// Whether a film review is for the film or against it, read byte by byte.
///
/// Two classes, `negative` (1 to 4 of 10 stars) and `positive` (7 to 10); 25,000 reviews for training
/// and 25,000 for the test, half of them of each class. A token is a byte plus 1, so that 0 is padding
/// and the vocabulary 257; longer reviews keep their first 4,000 bytes. Markup such as `<br />`
/// stays, blanks at both ends do not.
///
/// The data are the Large Movie Review Dataset as its archive unpacks,
/// `aclImdb/{train,test}/{pos,neg}/<id>_<stars>.txt`, in `<data folder>/text`; `make data TASK=text`
/// puts them there. `train/unsup` has no stars and is not read.
///
/// The data have no validation split. `task.validation` says what takes its place: `holdout`, a
/// tenth of the training reviews in a random order that `task.seed` gives, or `test`, the test
/// reviews themselves.
///
/// Source: Maas, Daly, Pham, Huang, Ng, Potts, "Learning word vectors for sentiment analysis",
/// ACL 2011; Tay et al., "Long Range Arena", 2020, arXiv 2011.04006, section 2.2.2.
/// Differs: google-research/long-range-arena @cd31e5c, text_classification/input_pipeline.py,
/// always validates on the test split.
package struct Text: ArenaTask {
  /// What takes the place of the validation split.
  package enum Validation: String, SettingChoice {
    /// A tenth of the training reviews, which are then not trained on.
    case holdout
    /// The test reviews, as in the original code.
    case test
  }

  /// What can be chosen for this task only.
  struct Own: SettingSection {
    static let section = TaskSettings.section
    @Knob("holdout: a tenth of the training reviews; test: the test reviews, as in the LRA")
    var validation = Validation.holdout
  }

  /// The folders of one part of the data.
  private enum Part: String, CaseIterable {
    case train
    case test
  }

  /// The name on the command line and of the data folder.
  package static let name = "text"
  /// The name in headings and tables.
  package static let title = "Text"
  /// The command that fetches and unpacks the archive.
  package static let dataCommand = "make data TASK=text"
  static let usualLength = 4000
  /// Class 0 and class 1, each with its folder and the stars that its reviews gave.
  private static let folders = [(name: "neg", stars: 1...4), (name: "pos", stars: 7...10)]

  /// Against the film or for it.
  package let classes = 2
  /// What each class is called.
  package let classNames = ["negative", "positive"]
  /// Padding and 256 bytes.
  package let vocabulary = 257
  /// The greatest number of bytes; longer reviews are cut.
  package let length: Int
  private let options: TaskOptions
  private let validation: Validation
  private let parts = Cache<Part, PackedExamples>()

  /// The task for given options.
  ///
  /// - Throws: `UserError` of kind `usage` for a length or count that is not positive, or a
  ///   `validation` that does not exist.
  package init(_ options: TaskOptions) throws {
    self.options = options
    length = options.length ?? Self.usualLength
    try options.validate(usualLength: Self.usualLength)
    validation = try options.own(Own.self).validation
  }

  /// Reads all reviews, which takes about a second.
  ///
  /// - Throws: `UserError` for files that are missing or wrong.
  package func prepare(report: (String) -> Void) throws {
    for part in Part.allCases { _ = try reviews(part, report) }
  }

  /// The texts of a table `label<TAB>text`, or of a folder with a folder of `.txt` files for each class,
  /// `negative` and `positive`, `neg` and `pos`, or 0 and 1.
  package func examples(at path: String) throws -> GivenExamples {
    guard FileSystem.isFolder(path) else {
      let table = try SequenceFile.table(path)
      let known = SequenceVocabulary(
        form: .text, tokens: vocabulary, classes: classes, names: classNames)
      let cut = table.longer(than: length, Array(0..<table.count))
      return GivenExamples(
        try table.examples(known, length: length), of: path, cut: cut, to: length)
    }
    let folders = try ClassFolders(
      path, classNames: classNames, otherNames: ["neg": 0, "pos": 1], ending: ".txt")
    var (examples, cut) = (PackedExamples(classes: classes, shift: 1), 0)
    for file in folders.files {
      let text = trimmed(try readFile(file.path)[...])
      guard !text.isEmpty else {
        throw UserError(
          .badData, "\(file.path): the text is empty", remedy: "remove the file")
      }
      cut += text.count > length ? 1 : 0
      examples.append(text.prefix(length), label: file.label)
    }
    return GivenExamples(examples, of: path, cut: cut, to: length)
  }

  /// The folder, and what the validation split is.
  package func provenance() throws -> String {
    let count = try examples(.val).count
    let held =
      switch validation {
      case .holdout: "\(count) of the training reviews held out, seed \(options.seed)"
      case .test: "\(count) of the test reviews"
      }
    return try "read from \(folder()), validated on \(held)"
      + options.shortfall { try examples($0).count }
  }

  /// The review as text; what would steer a terminal is shown by its number.
  package func describe(_ tokens: [Int32]) -> String { byteText(tokens) }

  /// Some of the reviews of one part, in the order that the seed gives.
  package func examples(_ split: Split) throws -> any ExampleSource {
    let part: Part = split == .test || (split == .val && validation == .test) ? .test : .train
    let all = try reviews(part) { _ in }
    var order = permutation(count: all.count, seed: options.seed, epoch: 0)[...]
    if validation == .holdout {
      let held = max(1, all.count / 10)
      switch split {
      case .train: order = order.dropFirst(held)
      case .val: order = order.prefix(held)
      case .test: break
      }
    }
    return ExampleSubset(all, order: try options.chosen(split, of: Array(order)))
  }

  private var root: String { "\(options.dataFolder)/\(Self.name)" }

  /// The unpacked archive.
  package func sourceFolder() throws -> String? { try folder() }

  private func folder() throws -> String {
    let names = Part.allCases.flatMap { part in Self.folders.map { "\(part.rawValue)/\($0.name)" } }
    let source = SourceFolder(
      places: ["\(root)/aclImdb", root, "\(options.dataFolder)/aclImdb"], root: root, names: names,
      remedy: "remove the folder, then fetch it with \(Self.dataCommand)")
    if let found = try source.find() { return found }
    throw UnrecognizedFiles(in: root).missing(
      "folder aclImdb",
      remedy: "fetch it with \(Self.dataCommand), or unpack aclImdb_v1.tar.gz there")
  }

  /// The reviews of one part from memory, else from their files.
  private func reviews(_ part: Part, _ report: (String) -> Void) throws -> PackedExamples {
    try parts.value(part) { try read(part, report) }
  }

  private func read(_ part: Part, _ report: (String) -> Void) throws -> PackedExamples {
    let root = try folder()
    let folders = try Self.folders.map {
      try ReviewFolder("\(root)/\(part.rawValue)/\($0.name)", stars: $0.stars)
    }
    report("reading \(folders.reduce(0) { $0 + $1.reviews.count }) reviews of \(root)/\(part)")
    var examples = PackedExamples(classes: classes, shift: 1)
    for (label, folder) in folders.enumerated() {
      try folder.read(into: &examples, length: length, label: UInt8(label))
    }
    return examples
  }
}
