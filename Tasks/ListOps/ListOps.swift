// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// Nested expressions over digits, to be evaluated: `[MAX 4 [MIN 2 3 ] 1 0 [MED 1 5 8 9 2 ] ]`.
///
/// Ten classes, the value of the expression. MIN, MAX, MED (median, rounded down) and SM (sum
/// modulo 10) with 2 to 10 arguments, at most ten levels deep, more than 500 and fewer than 2000
/// tokens; 96,000 examples for training, 2,000 each for validation and test. The classes 0 and 9
/// have about 17 % each, so a constant answer reaches that much.
///
/// The data are generated from a seed, unless `<data folder>/listops` holds the original's files
/// `basic_train.tsv`, `basic_val.tsv` and `basic_test.tsv`.
///
/// Source: Nangia and Bowman, "ListOps: a diagnostic dataset for latent tree learning", NAACL 2018;
/// Tay et al., "Long Range Arena", 2020, arXiv 2011.04006, section 2.2.1.
/// Differs: token ids are fixed (see `ListOpsToken`), and generated data have a seed.
package struct ListOps: ExportableTask {
  /// The name on the command line and of the data folder.
  package static let name = "listops"
  /// The name in headings and tables.
  package static let title = "ListOps"
  /// The command that makes the data.
  package static let dataCommand = "lra data make listops"
  /// The benchmark's sizes.
  static let counts: [Split: Int] = [.train: 96_000, .val: 2_000, .test: 2_000]

  /// The values 0 to 9.
  package let classes = 10
  /// Padding, ten digits, four operators, `]` and one unknown token.
  package let vocabulary = ListOpsToken.vocabulary
  /// The greatest number of tokens; see `init`.
  package let length: Int
  private let options: TaskOptions
  private let contents = Cache<Split, ListOpsTSV.Content>()

  /// The task for given options.
  ///
  /// With `length` N, generated expressions have more than N / 4 and fewer than N tokens; those of
  /// the original's files are cut to N.
  ///
  /// - Throws: `UserError` of kind `usage` for a length or count that is not positive.
  package init(_ options: TaskOptions) throws {
    self.options = options
    length = options.length ?? 2000
    try options.validate(usualLength: 2000)
  }

  /// Reads the original's files or the prepared ones; generates the latter when there are none.
  ///
  /// - Throws: `UserError` for files that are incomplete or wrong, or that cannot be written.
  package func prepare(report: (String) -> Void) throws {
    for split in Split.allCases { _ = try content(split, report) }
  }

  /// The examples of one split, prepared on the first call and then kept in memory.
  package func examples(_ split: Split) throws -> any ExampleSource {
    try content(split).examples
  }

  /// The expressions of a file in the original's format.
  package func examples(at path: String) throws -> GivenExamples {
    let content = try ListOpsTSV.read(path, length: length, count: nil)
    return GivenExamples(content.examples, of: path, cut: content.cut, to: length)
  }

  /// The seed and window of generated data, or the folder of the original's files.
  package func provenance() throws -> String {
    guard let folder = try sourceFolder() else {
      return "generated with seed \(options.seed), \(generator.lower) < length < \(generator.upper)"
    }
    let cut = try Split.allCases.reduce(0) { try $0 + content($1).cut }
    return try "read from \(folder)" + (cut > 0 ? ", \(cut) examples cut to \(length) tokens" : "")
      + options.shortfall { try content($0).examples.count }
  }

  /// The expression as text, as `[MAX 4 3 ]`.
  package func describe(_ tokens: [Int32]) -> String {
    tokens.map { ListOpsToken.texts.indices.contains(Int($0)) ? ListOpsToken.texts[Int($0)] : "?" }
      .joined(separator: " ")
  }

  /// The most operators that are open at once.
  package func depth(_ tokens: [Int32]) -> Int? {
    var (open, most) = (0, 0)
    for token in tokens {
      if token == ListOpsToken.close {
        open -= 1
      } else if UInt8(exactly: token).map(ListOpsToken.isOperator) == true {
        open += 1
        most = max(most, open)
      }
    }
    return most
  }

  /// Writes the three files in the original's format, byte for byte as its generator would.
  ///
  /// - Throws: `UserError` of kind `cannotWrite`, or `badData` when expressions were cut.
  package func export(to folder: String, report: (String) -> Void) throws {
    try createFolder(folder)
    for split in Split.allCases {
      let content = try content(split, report)
      guard content.cut == 0 else {
        throw UserError(
          .badData, "the \(split.rawValue) split has expressions cut to \(length) tokens",
          remedy: "raise task.length to export whole ones")
      }
      let file = try AtomicFile("\(folder)/\(ListOpsTSV.name(split))")
      try file.write(Array("Source\tTarget\r\n".utf8))
      let examples = content.examples
      for example in 0..<examples.count {
        try file.write(ListOpsTSV.line(examples[example], label: examples.labels[example]))
      }
      try file.commit()
    }
  }

  /// The folder of the original's files, nil where there are none.
  package func sourceFolder() throws -> String? { try source.find() }

  /// Whether the original's files are there, or any that were generated.
  package func isPrepared() throws -> Bool { try source.find() != nil || FileSystem.exists(root) }

  private var source: SourceFolder { ListOpsTSV.source(in: options.dataFolder) }
  private var root: String { "\(options.dataFolder)/\(Self.name)" }
  private var generator: ListOpsGenerator { ListOpsGenerator(seed: options.seed, length: length) }

  /// A split from memory, else from the original's file, else from a prepared file, else generated.
  private func content(
    _ split: Split, _ report: (String) -> Void = { _ in }
  ) throws -> ListOpsTSV.Content {
    let content = try contents.value(
      split,
      makingAll: {
        if let folder = try source.find() {
          let path = source.path(ListOpsTSV.name(split), in: folder)
          report("reading \(path)")
          return [split: try ListOpsTSV.read(path, length: length, count: options.count(split))]
        }
        try UnrecognizedFiles(in: root).refuse(wanted: source.names)
        if let examples = prepared(split, report) { return [split: .init(examples: examples)] }
        return try generate(report)
      })
    return content ?? ListOpsTSV.Content()
  }

  /// A split from its prepared file; nil when it must be generated.
  private func prepared(_ split: Split, _ report: (String) -> Void) -> PackedExamples? {
    do {
      return try keptSplit(split)
    } catch {
      report("\(error.problem); generating it again")
      return nil
    }
  }

  /// A split from its prepared file, every expression checked against its label.
  private func keptSplit(_ split: Split) throws -> PackedExamples? {
    var evaluator = ListOpsEvaluator()
    let lengths = generator.lower + 1..<generator.upper
    return try file(split).read(
      classes: classes, count: count(split), longest: generator.upper
    ) { tokens, label in
      lengths.contains(tokens.count) && evaluator.value(of: tokens) == label
    }
  }

  /// Generates all splits and writes their files; one process at a time does it.
  private func generate(_ report: (String) -> Void) throws -> [Split: ListOpsTSV.Content] {
    try createFolder(root)
    let lock = try FileLock(waitingFor: "\(root)/.lock", report: report)
    defer { withExtendedLifetime(lock) {} }
    var contents: [Split: ListOpsTSV.Content] = [:]
    for split in Split.allCases {
      // Another process may have finished while this one waited.
      contents[split] = try? keptSplit(split).map { .init(examples: $0) }
    }
    if contents.count == Split.allCases.count { return contents }
    // Test first and training last: a smaller training set leaves the other two as they are.
    let order: [Split] = [.test, .val, .train]
    report("generating ListOps, seed \(options.seed)")
    let parts = try generator.parts(order.map(count), report: report)
    for (split, examples) in zip(order, parts) {
      report("writing \(file(split).path)")
      try file(split).write(examples)
      contents[split] = .init(examples: examples)
    }
    return contents
  }

  private func count(_ split: Split) -> Int { options.count(split) ?? Self.counts[split] ?? 0 }

  private func file(_ split: Split) -> PreparedSplit {
    let metadata = [
      "task": Self.name, "split": split.rawValue, "generator": "\(ListOpsGenerator.version)",
      "seed": "\(options.seed)", "longer-than": "\(generator.lower)",
      "shorter-than": "\(generator.upper)",
      "counts": Split.allCases.map { "\($0.rawValue) \(count($0))" }.joined(separator: ", "),
    ]
    let parameters = metadata.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    var hash = FNV1a()
    hash.add(parameters.joined(separator: "\n").utf8)
    return PreparedSplit(
      path: "\(root)/\(split.rawValue)-\(hash.hexadecimal.prefix(8)).safetensors.gz",
      metadata: metadata)
  }
}
