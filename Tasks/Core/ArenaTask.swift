// SPDX-License-Identifier: Apache-2.0

import Base

/// The three parts of a data set.
package enum Split: String, CaseIterable, Codable, Sendable {
  /// What the model learns from.
  case train
  /// What the best step is chosen by.
  case val
  /// What the reported accuracy comes from.
  case test
}

/// One split: labelled token sequences in random access, usable from several threads at once.
package protocol ExampleSource: Sendable {
  /// The number of examples.
  var count: Int { get }
  /// The number of examples of each class.
  var labelCounts: [Int] { get }
  /// The class of one example, from 0.
  func label(_ example: Int) -> Int
  /// The number of tokens of one sequence, padding not counted.
  ///
  /// - Parameter tower: 0, or 0 and 1 for tasks that compare two sequences.
  /// - Throws: `UserError` where a file that is read on demand can no longer be read.
  func length(_ example: Int, tower: Int) throws -> Int
  /// Appends the tokens of one sequence, padding not included.
  ///
  /// - Throws: `UserError` where a file that is read on demand can no longer be read.
  func append(_ example: Int, tower: Int, to tokens: inout [Int32]) throws
  /// Adds what the examples are made from to a hash: every token, boundary and label counts.
  func add(to hash: inout FNV1a)
}

/// What a user may choose about every task's data, section `task` of a configuration.
package struct TaskSettings: SettingSection {
  /// `task`.
  package static let section = "task"
  /// Beyond it sums of lengths would overflow.
  static let mostTokens = 1 << 22
  /// Examples of the largest split.
  static let mostExamples = 1 << 27

  /// The task, as the catalog names it.
  @Knob("the task; --task chooses it") package var name = ""
  /// The greatest number of tokens of a sequence; 0 where no preset has given one.
  @Knob("the greatest number of tokens of a sequence; presets give it", 0...mostTokens)
  package var length = 0
  /// The number of training examples, or all where files have fewer; 0 for the task's own.
  @Knob("training examples; 0 for the task's own number", 0...mostExamples)
  package var trainCount = 0
  /// The number of validation examples; 0 for the task's own.
  @Knob("validation examples; 0 for the task's own number", 0...mostExamples)
  package var valCount = 0
  /// The number of test examples; 0 for the task's own.
  @Knob("test examples; 0 for the task's own number", 0...mostExamples) package var testCount = 0
  /// The seed of generated data; training has a seed of its own.
  @Knob("what generated data and drawn splits are drawn from") package var seed: UInt64 = 0

  /// All at their defaults.
  package init() {}
}

/// What a task is made with.
package struct TaskOptions: Sendable, Equatable {
  /// The greatest number of tokens of a sequence; nil for the task's own.
  package var length: Int?
  /// The number of training examples; nil for the task's own.
  package var trainCount: Int?
  /// The number of validation examples; nil for the task's own.
  package var valCount: Int?
  /// The number of test examples; nil for the task's own.
  package var testCount: Int?
  /// The seed of generated data; training has a seed of its own.
  package var seed: UInt64
  /// The folder that holds one folder for each task.
  package var dataFolder: String
  /// What only this task knows, by key without `task.`; see `TaskEntry.settings`.
  package var settings: [String: Setting]

  /// The task's own sizes, with seed 0 and the folder `data`, unless said otherwise.
  package init(
    length: Int? = nil, trainCount: Int? = nil, valCount: Int? = nil, testCount: Int? = nil,
    seed: UInt64 = 0, dataFolder: String = "data", settings: [String: Setting] = [:]
  ) {
    self.length = length
    self.trainCount = trainCount
    self.valCount = valCount
    self.testCount = testCount
    self.seed = seed
    self.dataFolder = dataFolder
    self.settings = settings
  }

  /// The options in section `task` of a configuration.
  ///
  /// - Throws: `UserError(.configuration)` that names the key whose value is not allowed.
  package init(_ settings: Settings, of task: TaskEntry, dataFolder: String) throws {
    let all = try TaskSettings(settings)
    let chosen = { (count: Int) in count == 0 ? nil : count }
    self.init(
      length: all.length, trainCount: chosen(all.trainCount), valCount: chosen(all.valCount),
      testCount: chosen(all.testCount), seed: all.seed, dataFolder: dataFolder)
    for setting in task.settings { self.settings[setting.name] = settings[setting.key] }
  }

  /// The number of examples asked for in one split; nil for the task's own.
  package func count(_ split: Split) -> Int? {
    switch split {
    case .train: trainCount
    case .val: valCount
    case .test: testCount
    }
  }

  /// Checks what every task asks of its numbers.
  ///
  /// - Throws: `UserError` of kind `usage` for a length or count that is not positive or absurdly
  ///   great.
  func validate(usualLength: Int) throws {
    if let length, !(1...TaskSettings.mostTokens).contains(length) {
      throw UserError(
        .usage, "task.length is \(length), but must be from 1 to \(TaskSettings.mostTokens)",
        remedy: "the benchmark's is \(usualLength)")
    }
    for split in Split.allCases {
      guard let count = count(split), !(1...TaskSettings.mostExamples).contains(count) else {
        continue
      }
      throw UserError(
        .usage,
        "task.\(split.rawValue)-count is \(count), but must be from 1 to "
          + "\(TaskSettings.mostExamples)",
        remedy: "leave it out for the benchmark's number")
    }
  }
}

extension TaskOptions {
  /// What is chosen of the settings that only this task has.
  ///
  /// - Throws: `UserError` of kind `usage` with the choices there are.
  func own<Own: SettingSection>(_ type: Own.Type) throws -> Own {
    do { return try Own(values: settings) } catch let error as UserError {
      throw UserError(.usage, error.problem, remedy: error.remedy)
    }
  }

  /// The first of a split's examples, at most as many as are asked for.
  ///
  /// - Throws: `UserError` of kind `badData` when there are none.
  func chosen(_ split: Split, of examples: [Int]) throws -> [Int] {
    guard !examples.isEmpty else {
      throw UserError(
        .badData, "\(dataFolder): there are too few examples for a \(split.rawValue) split",
        remedy: "fetch the whole data set")
    }
    return Array(examples.prefix(count(split) ?? examples.count))
  }

  /// What to say where files have fewer examples than were asked for: all of them are taken.
  ///
  /// - Parameter taken: the number of examples of a split.
  func shortfall(taken: (Split) throws -> Int) rethrows -> String {
    try Split.allCases.map { split in
      guard let wanted = count(split), case let all = try taken(split), all < wanted else {
        return ""
      }
      return ", all \(all) \(split.rawValue) examples (task.\(split.rawValue)-count is \(wanted))"
    }.joined()
  }
}

/// A classification task of the benchmark, with its data.
package protocol ArenaTask: Sendable {
  /// The name on the command line and of the data folder.
  static var name: String { get }
  /// The name in headings and tables.
  static var title: String { get }
  /// The command that brings the data into the data folder.
  static var dataCommand: String { get }
  /// The number of classes.
  var classes: Int { get }
  /// What each class is called.
  var classNames: [String] { get }
  /// The number of token ids, 0..<vocabulary; 0 is padding.
  var vocabulary: Int { get }
  /// The number of sequences in one example.
  var towers: Int { get }
  /// The greatest number of tokens of a sequence.
  var length: Int { get }

  /// Takes the options; touches no file.
  ///
  /// - Throws: `UserError` of kind `usage` for options that the task cannot serve.
  init(_ options: TaskOptions) throws

  /// The keys of `task` that have no effect beside the other options, each with the reason.
  var idle: [String: String] { get }

  /// Makes the data or checks it; returns at once when that is already done.
  ///
  /// - Parameter report: told what takes time, one line each.
  func prepare(report: (String) -> Void) throws

  /// Whether there are data to look at, or nothing need be made before.
  ///
  /// - Throws: `UserError` for files of somebody else's that are incomplete.
  func isPrepared() throws -> Bool

  /// The examples of one split, prepared on the first call.
  func examples(_ split: Split) throws -> any ExampleSource

  /// A hash of all examples and labels in order, equal on every machine, kept with each result.
  func contentHash() throws -> String

  /// Where the data come from, one line for the model card and the reports.
  func provenance() throws -> String

  /// The folder of somebody else's files that the data are read from; nil where the program generates
  /// the data.
  ///
  /// - Throws: `UserError` for files that are incomplete, or missing where none can be generated.
  func sourceFolder() throws -> String?

  /// The examples of a file or folder that a user names, in a format that the task describes; neither
  /// the task's splits nor its data folder are looked at.
  ///
  /// - Throws: `UserError` that names the file, and the line where there is one.
  func examples(at path: String) throws -> GivenExamples

  /// How deeply the parts of an example are nested; nil for a task without such parts.
  func depth(_ tokens: [Int32]) -> Int?

  /// The tokens as text.
  func describe(_ tokens: [Int32]) -> String

  /// The tokens as lines for a terminal, nil where `describe` says it better.
  ///
  /// - Parameter inColor: whether the terminal understands colours.
  func drawing(_ tokens: [Int32], inColor: Bool) -> String?
}

extension ArenaTask {
  /// The numbers of the classes, which for some tasks are their names.
  package var classNames: [String] { (0..<classes).map(String.init) }

  /// One sequence an example.
  package var towers: Int { 1 }

  /// All have an effect.
  package var idle: [String: String] { [:] }

  /// A hash of all three splits.
  package func contentHash() throws -> String {
    var hash = FNV1a()
    for split in Split.allCases { try examples(split).add(to: &hash) }
    return hash.hexadecimal
  }

  /// Nothing is made beforehand.
  package func isPrepared() throws -> Bool { true }

  /// None are read.
  package func examples(at path: String) throws -> GivenExamples {
    throw UserError(
      .usage, "the task \(Self.name) reads no examples from a file",
      remedy: "evaluate a split: --split test")
  }

  /// Nothing is nested.
  package func depth(_ tokens: [Int32]) -> Int? { nil }

  /// No drawing: the tokens are text.
  package func drawing(_ tokens: [Int32], inColor: Bool) -> String? { nil }
}

/// A task whose data can be written as the original code reads them.
package protocol ExportableTask: ArenaTask {
  /// Writes all examples in the original's format.
  ///
  /// - Parameters:
  ///   - folder: made when absent.
  ///   - report: told what takes time, one line each.
  /// - Throws: `UserError` of kind `cannotWrite`, or for data that cannot be written so.
  func export(to folder: String, report: (String) -> Void) throws
}
