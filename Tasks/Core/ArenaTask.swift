import Base

/// The three parts of a data set.
public enum Split: String, CaseIterable, Codable, Sendable {
  /// What the model learns from.
  case train
  /// What the best step is chosen by.
  case val
  /// What the reported accuracy comes from.
  case test
}

/// One split: labelled token sequences in random access, usable from several threads at once.
public protocol ExampleSource: Sendable {
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
}

/// What a user may choose about a task's data.
public struct TaskOptions: Sendable, Codable, Equatable {
  /// The greatest number of tokens of a sequence; nil for the task's own.
  public var length: Int?
  /// The number of training examples; nil for the task's own.
  public var trainCount: Int?
  /// The number of validation examples; nil for the task's own.
  public var valCount: Int?
  /// The number of test examples; nil for the task's own.
  public var testCount: Int?
  /// The seed of generated data; training has a seed of its own.
  public var seed: UInt64
  /// The folder that holds one folder for each task.
  public var dataFolder: String
  /// What only this task knows, by key without `task.`; see `TaskEntry.settings`.
  public var settings: [String: Setting]

  /// The task's own sizes, with seed 0 and the folder `data`, unless said otherwise.
  public init(
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

  /// The number of examples asked for in one split; nil for the task's own.
  public func count(_ split: Split) -> Int? {
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
    if let length, !(1...1 << 22).contains(length) {
      throw UserError(
        .usage, "task.length is \(length), but must be from 1 to \(1 << 22)",
        remedy: "the benchmark's is \(usualLength)")
    }
    for split in Split.allCases {
      guard let count = count(split), !(1...1 << 27).contains(count) else { continue }
      throw UserError(
        .usage, "task.\(split.rawValue)-count is \(count), but must be from 1 to \(1 << 27)",
        remedy: "leave it out for the benchmark's number")
    }
  }
}

extension TaskOptions {
  /// What is chosen for a key that only this task knows.
  ///
  /// - Parameters:
  ///   - key: without `task.`.
  ///   - usual: what holds unless something else is said.
  /// - Throws: `UserError` of kind `usage` with the choices there are.
  func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ key: String, usual: Choice
  ) throws -> Choice {
    let text = settings[key]?.description ?? usual.rawValue
    if let choice = Choice(rawValue: text) { return choice }
    let names = Choice.allCases.map(\.rawValue)
    throw UserError(
      .usage, "task.\(key) is \"\(text)\"",
      remedy: "set it to \(names.dropLast().joined(separator: ", ")) or \(names.last ?? "")")
  }

  /// The first of a split's examples, as many as are asked for.
  ///
  /// - Throws: `UserError` of kind `usage` when there are fewer, or `badData` when there are none.
  func chosen(_ split: Split, of examples: [Int]) throws -> [Int] {
    let wanted = count(split) ?? examples.count
    guard wanted <= examples.count else {
      throw UserError(
        .usage,
        "task.\(split.rawValue)-count is \(wanted), but there are \(examples.count) examples",
        remedy: "ask for fewer, or leave the count out to use all of them")
    }
    guard !examples.isEmpty else {
      throw UserError(
        .badData, "\(dataFolder): there are too few examples for a \(split.rawValue) split",
        remedy: "fetch the whole data set")
    }
    return Array(examples.prefix(wanted))
  }
}

/// A classification task of the benchmark, with its data.
public protocol ArenaTask: Sendable {
  /// The name on the command line and of the data folder.
  static var name: String { get }
  /// The name as people write it.
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

  /// The tokens as people write them.
  func describe(_ tokens: [Int32]) -> String

  /// The tokens as lines for a terminal, nil where `describe` says it better.
  ///
  /// - Parameter inColor: whether the terminal understands colours.
  func drawing(_ tokens: [Int32], inColor: Bool) -> String?
}

extension ArenaTask {
  /// The numbers of the classes, which for some tasks are their names.
  public var classNames: [String] { (0..<classes).map(String.init) }

  /// All have an effect.
  public var idle: [String: String] { [:] }

  /// No drawing: the tokens are text.
  public func drawing(_ tokens: [Int32], inColor: Bool) -> String? { nil }
}

/// A task whose data can be written as the original code reads them.
public protocol ExportableTask: ArenaTask {
  /// Writes all examples in the original's format.
  ///
  /// - Parameters:
  ///   - folder: made when absent.
  ///   - report: told what takes time, one line each.
  /// - Throws: `UserError` of kind `cannotWrite`, or for data that cannot be written so.
  func export(to folder: String, report: (String) -> Void) throws
}
