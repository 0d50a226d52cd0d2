// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Base
import Foundation
import Tasks

/// `lra data`: makes, shows and exports the data of a task.
struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Make, check or export the data of a task.",
    discussion: "lra data check listops",
    subcommands: [Make.self, Check.self, Export.self])
}

/// What selects a data set; the same for every subcommand.
struct DataOptions: ParsableArguments {
  @Argument(help: "The task, such as listops.", completion: .tasks)
  var task: String
  @Option(help: "The seed of generated data.")
  var seed: UInt64 = 0
  @Option(parsing: .unconditional, help: "The greatest length in tokens; the task's by default.")
  var length: Int?
  @Option(parsing: .unconditional, help: "Training examples; the task's number by default.")
  var trainCount: Int?
  @Option(parsing: .unconditional, help: "Validation examples; the task's number by default.")
  var valCount: Int?
  @Option(parsing: .unconditional, help: "Test examples; the task's number by default.")
  var testCount: Int?
  @Option(
    name: .customLong("set"),
    help: "key=value of the task's own settings, such as task.validation=test. May be repeated.")
  var assignments: [String] = []
  @Option(
    help: "The folder of all tasks' data; by default $LRA_DATA, or else data.",
    completion: .file(), transform: pathArgument)
  var data: String?

  /// The folder of all tasks' data.
  var folder: String { dataFolder(data) }

  /// The task for these options.
  ///
  /// - Throws: `UserError` for an unknown task, or a number out of its range.
  func makeTask() throws -> any ArenaTask {
    for (flag, value) in [
      ("--length", length), ("--train-count", trainCount), ("--val-count", valCount),
      ("--test-count", testCount),
    ] { try require(flag, value ?? 1, atLeast: 1) }
    let entry = try TaskCatalog.named(task)
    let derived = try entry.derived(folder)
    let longest = derived.first { $0.key == "task.length" }.flatMap { Int(setting: $0.value) }
    return try entry.make(
      TaskOptions(
        length: length ?? longest, trainCount: trainCount, valCount: valCount, testCount: testCount,
        seed: seed, dataFolder: folder, settings: try own(entry, derived)))
  }

  /// The task's own settings, with what the data say of them and what was given on the command line.
  private func own(_ entry: TaskEntry, _ derived: [PresetValue]) throws -> [String: Setting] {
    var settings = Settings()
    for setting in entry.settings { settings.declare(setting) }
    for value in derived where settings.contains(value.key) {
      try settings.set(value.key, value.value, origin: value.source)
    }
    for assignment in assignments { try settings.set(assignment: assignment, origin: "--set") }
    return Dictionary(
      uniqueKeysWithValues: settings.entries.map { (String($0.key.dropFirst(5)), $0.value) })
  }
}

extension DataCommand {
  /// `lra data make`: generates or reads the data.
  struct Make: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make the data, or check them if they are there.",
      usage: "lra data make TASK [OPTION ...]", discussion: "lra data make listops --seed 1")

    @OptionGroup var options: DataOptions

    func run() throws {
      let task = try options.makeTask()
      Interrupts.install()
      let start = monotonicSeconds()
      try task.prepare(report: printMessage)
      let counts = try Split.allCases.map { "\($0) \(formatCount(try task.examples($0).count))" }
      try printResult(
        "\(options.task): \(counts.joined(separator: ", ")) examples in \(options.folder)")
      try printResult("content \(try task.contentHash()), \(try task.provenance())")
      printMessage("took \(formatDuration(seconds: monotonicSeconds() - start))")
    }
  }

  /// `lra data check`: reads all data and describes them.
  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Read all data and describe them: counts, classes, lengths, an example.",
      usage: "lra data check TASK [OPTION ...]",
      discussion: "lra data check sequences --data my")

    @OptionGroup var options: DataOptions
    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
      let task = try options.makeTask()
      Interrupts.install()
      guard try task.isPrepared() else {
        throw UserError(
          .missingInput, "there are no data in \(options.folder)/\(options.task)",
          remedy: "make the data with \(type(of: task).dataCommand), or name another folder "
            + "with --data")
      }
      try task.prepare(report: printMessage)
      let inColor = !json && outputHasColors
      let card = try DataCard(task, name: options.task, inColor: inColor)
      try printResult(json ? try jsonText(card) : card.text, colored: inColor)
    }
  }

  /// `lra data export`: writes the format of the task's authors.
  struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write the data in the format of the original code.",
      usage: "lra data export TASK --output FOLDER [OPTION ...]",
      discussion: "lra data export listops --output listops-1000")

    @OptionGroup var options: DataOptions
    @Option(
      help: "The folder to write to; made when absent.", completion: .file(),
      transform: pathArgument)
    var output: String

    func run() throws {
      let task = try options.makeTask()
      Interrupts.install()
      guard let exportable = task as? any ExportableTask else {
        throw UserError(
          .usage, "\(options.task) cannot be exported",
          remedy: "its data are the original's files already")
      }
      try exportable.export(to: output, report: printMessage)
      try printResult("wrote \(output)")
    }
  }
}
