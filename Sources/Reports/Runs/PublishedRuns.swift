// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// The runs behind the figures that the project publishes, `Tasks/Results`: for each run its
/// configuration, its result, the machine and the validation curve; no weights.
package struct PublishedRuns {
  /// The runs.
  package let runs: [RunRecord]

  /// Reads the folder.
  ///
  /// - Throws: `UserError` when it is absent or a run in it cannot be read.
  package init(_ folder: String) throws {
    let collection = try RunCollection([folder])
    if let problem = (collection.problems + collection.runs.flatMap(\.remarks)).first {
      throw UserError(.badData, problem, remedy: "restore the file from the repository")
    }
    runs = collection.finished
  }

  /// The accuracies in a text that no run amounts to.
  ///
  /// A line that links published runs, as `[s0](../Tasks/Results/listops-s4d-small-s0)`, may only state
  /// theirs, with the standard error (`37.0 ± 1.1 %`) or without (`37.0 %`); elsewhere `37.0 ± 1.1 %`
  /// must be that of any run. Means over seeds count.
  package func unexplained(in text: String) -> [String] {
    let all = Self.figures(runs)
    return text.split(separator: "\n").flatMap { line in
      let linked = runs.filter { line.contains("Tasks/Results/\($0.name))") }
      let known = linked.isEmpty ? all : Self.figures(linked)
      return line.matches(of: /\d+\.\d( ± \d+\.\d)? %/)
        .filter { !linked.isEmpty || $0.output.1 != nil }
        .map { String($0.output.0) }.filter { !known.contains($0) }
    }
  }

  /// Every accuracy that runs amount to, as texts have it: that of each run's best and last checkpoint,
  /// and the means over seeds.
  private static func figures(_ runs: [RunRecord]) -> Set<String> {
    let tests = runs.compactMap(\.result).flatMap { [$0.testBest, $0.testLast] }
      .map { ($0.accuracy, $0.error) }
    let groups = SeedGroup.all(runs).flatMap { group in
      [group.accuracy, group.bestAccuracy, group.lastAccuracy].map { ($0, group.error) }
    }
    return Set(
      (tests + groups).flatMap { accuracy, error in
        let figure = String(format: "%.1f", accuracy * 100)
        return ["\(figure) %", figure + String(format: " ± %.1f %%", error * 100)]
      })
  }

  // MARK: Publishing

  /// The most lines of training loss that are kept of a run.
  private static let trainingLines = 30

  /// Copies what is published of a finished run into a folder of its name.
  ///
  /// The machine's name and the paths of the user's data stay out.
  ///
  /// - Returns: the new folder.
  /// - Throws: `UserError` when the run has no result, or the folder cannot be written.
  package static func publish(_ run: RunRecord, to folder: String) throws -> String {
    guard var result = run.result else {
      throw UserError(
        .missingInput, "\(run.path): has no result", remedy: "publish it when it is done")
    }
    let target = "\(folder)/\(run.name)"
    try createFolder(target)
    result.dataSource = shortened(result.dataSource, task: result.task)
    try write(result, to: "\(target)/result.json")
    if var environment = run.environment {
      environment.host = ""
      environment.command =
        ["lra"]
        + environment.command.dropFirst().map { argument in
          argument.hasPrefix("/") ? lastName(of: argument) : argument
        }
      try write(environment, to: "\(target)/env.json")
    }
    try writeAtomically(readFile("\(run.path)/config.json"), to: "\(target)/config.json")
    try writeAtomically(try curve(run), to: "\(target)/metrics.jsonl")
    return target
  }

  /// The evaluations of a log, and some of its training records.
  private static func curve(_ run: RunRecord) throws -> [UInt8] {
    let lines = try readFile("\(run.path)/metrics.jsonl").split(separator: UInt8(ascii: "\n"))
    let training = lines.count { contains($0, "train/loss") }
    let every = max(1, training / trainingLines)
    var seen = 0
    let kept = lines.filter { line in
      if contains(line, "train/loss") { seen += 1 }
      return contains(line, "eval/") || contains(line, "train/loss") && seen % every == 0
    }
    return Array(kept.joined(separator: [UInt8(ascii: "\n")])) + [UInt8(ascii: "\n")]
  }

  private static func contains(_ line: some Collection<UInt8>, _ text: String) -> Bool {
    String(decoding: line, as: UTF8.self).contains(text)
  }

  /// A source without the place of the user's data: `read from data/image/cifar-10-batches-bin`.
  private static func shortened(_ source: String, task: String) -> String {
    guard let start = source.range(of: "/[^ ]*/\(task)", options: .regularExpression) else {
      return source
    }
    return source.replacingCharacters(in: start, with: "data/\(task)")
  }

  private static func write(_ value: some Encodable, to path: String) throws {
    try writeAtomically(SnakeCaseJSON.encoded(value) + [UInt8(ascii: "\n")], to: path)
  }
}
