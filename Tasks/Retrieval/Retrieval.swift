// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// Whether one of two scientific papers cites the other, both read byte by byte.
///
/// Two classes, `unrelated` and `cited`, about half of the pairs each; in the original 147,086 pairs for
/// training, 18,090 for validation and 17,437 for the test. The two texts are encoded apart and meet
/// only in the classifier. A token is a byte plus 1, so that 0 is padding and the vocabulary 257; of
/// a text the first 4,000 bytes are read.
///
/// The data are the original's `new_aan_pairs.{train,eval,test}.tsv` in `<data folder>/retrieval`;
/// `make data TASK=retrieval` puts them there. They have gigabytes, so the texts stay on the disk; an
/// index of where they begin is made once and kept. Pairs by name only are read too, see
/// `PaperPairs`.
///
/// The texts stand in the files as literals of Python, `b'…\n…\xc3\xa9…'`, and that is what models of
/// the original read. `task.literals` says whether it stays so, `kept`, or whether the bytes that the
/// literal means are read, `undone`. Either way only the first 10,000 bytes of a column count.
///
/// Source: Radev, Muthukrishnan, Qazvinian, Abu-Jbara, "The ACL Anthology Network corpus", Language
/// Resources and Evaluation, 2013; Tay et al., "Long Range Arena", 2020, arXiv 2011.04006, section
/// 2.2.3.
/// Differs: google-research/long-range-arena @cd31e5c, matching/input_pipeline.py, leaves out the
/// last examples that fill no batch, of the test split too; here every example counts.
package struct Retrieval: ArenaTask {
  /// What becomes of literals of Python.
  package enum Literals: String, SettingChoice {
    /// They are read as they stand, as in the original code.
    case kept
    /// The bytes that they mean are read.
    case undone
  }

  /// What can be chosen for this task only.
  struct Own: SettingSection {
    static let section = TaskSettings.section
    @Knob("kept: texts as they stand, b'...', as in the LRA; undone: the bytes they mean")
    var literals = Literals.kept
  }

  /// How the pairs are given.
  private enum Form: String {
    case texts = "new_aan_pairs"
    case names = "id_pairs"

    /// The file of one split.
    func file(_ split: Split) -> String {
      "\(rawValue).\(split == .val ? "eval" : split.rawValue).tsv"
    }

    /// What a folder must hold.
    var files: [String] {
      Split.allCases.map(file) + (self == .names ? [PaperPairs.papers] : [])
    }
  }

  /// The name on the command line and of the data folder.
  package static let name = "retrieval"
  /// The name in headings and tables.
  package static let title = "Retrieval"
  /// The command that fetches and unpacks the archive.
  package static let dataCommand = "make data TASK=retrieval"
  static let usualLength = 4000
  /// Where the archive has the files in the data folder, and where others who unpack it put them.
  private static let places = [
    "retrieval/lra_release/lra_release/tsv_data", "retrieval/lra_release/tsv_data", "retrieval",
    "retrieval/tsv_data", "retrieval/aan", "aan", "lra_release/lra_release/tsv_data",
    "lra_release/tsv_data",
  ]

  /// One cites the other or not.
  package let classes = 2
  /// What each class is called.
  package let classNames = ["unrelated", "cited"]
  /// Padding and 256 bytes.
  package let vocabulary = 257
  /// Two sequences an example.
  package let towers = 2
  /// The greatest number of bytes of a text; longer ones are cut.
  package let length: Int
  private let options: TaskOptions
  private let literals: Literals
  private let splits = Cache<Split, any PairSource>()

  /// The task for given options.
  ///
  /// - Throws: `UserError` of kind `usage` for a length or count that is not positive, or `literals`
  ///   that do not exist.
  package init(_ options: TaskOptions) throws {
    self.options = options
    length = options.length ?? Self.usualLength
    try options.validate(usualLength: Self.usualLength)
    literals = try options.own(Own.self).literals
  }

  /// Only a part of the pairs is drawn.
  package var idle: [String: String] {
    Split.allCases.contains { options.count($0) != nil }
      ? [:] : ["seed": "without a task.train-count, val-count or test-count all pairs are used"]
  }

  /// Finds the files and takes their indices, which are made when there are none.
  ///
  /// - Throws: `UserError` for files that are missing or wrong.
  package func prepare(report: (String) -> Void) throws {
    for split in Split.allCases { _ = try pairs(split, report) }
  }

  /// The pairs of a table in the original's form: label, two ids, two texts.
  package func examples(at path: String) throws -> GivenExamples {
    let pairs = try PairFile(path, keptAs: nil) { _ in }
    return GivenExamples(
      PairExamples(
        pairs, pairs: Array(0..<pairs.count), length: length, undoesLiterals: literals == .undone),
      provenance: "read from \(path), literals \(literals.rawValue)")
  }

  /// The folder, and how the texts are read.
  package func provenance() throws -> String {
    let (folder, form) = try place()
    return try "read from \(folder), "
      + (form == .names ? "papers by their names" : "literals \(literals.rawValue)")
      + options.shortfall { try examples($0).count }
  }

  /// The bytes as text; what would steer a terminal is shown by its number.
  package func describe(_ tokens: [Int32]) -> String { byteText(tokens) }

  /// The pairs of a split, or as many as are asked for, which `task.seed` chooses; their texts are read
  /// when they are asked for.
  package func examples(_ split: Split) throws -> any ExampleSource {
    let all = try pairs(split) { _ in }
    let order = permutation(count: all.count, seed: options.seed, epoch: 0)
    return PairExamples(
      all, pairs: try options.chosen(split, of: order).sorted(), length: length,
      undoesLiterals: literals == .undone)
  }

  private var root: String { "\(options.dataFolder)/\(Self.name)" }

  /// The unpacked archive.
  package func sourceFolder() throws -> String? { try place().folder }

  private func place() throws -> (folder: String, form: Form) {
    for form in [Form.texts, .names] {
      let source = SourceFolder(
        places: Self.places.map { "\(options.dataFolder)/\($0)" }, root: root, names: form.files,
        remedy: "remove the folder, then fetch it with \(Self.dataCommand)")
      if let found = try source.find() { return (found, form) }
    }
    throw UnrecognizedFiles(in: root).missing(
      Form.texts.file(.train),
      remedy: "fetch it with \(Self.dataCommand), or put the three files there")
  }

  /// The pairs of one split from memory, else from the files.
  private func pairs(_ split: Split, _ report: (String) -> Void) throws -> any PairSource {
    try splits.value(split) {
      let (folder, form) = try place()
      let path = "\(folder)/\(form.file(split))"
      switch form {
      case .texts:
        return try PairFile(path, keptAs: "\(root)/index-\(split).safetensors.gz", report)
      case .names: return try PaperPairs(path, papersIn: folder)
      }
    }
  }
}
