// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Runs

/// The runs behind the figures that the project publishes, `docs/results/runs.jsonl`; no weights.
package struct PublishedRuns {
  /// The runs.
  package let runs: [RunRecord]

  /// Reads the folder, or the file.
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
  /// A line that links published runs, as `[s0](results/report/runs.md#listops-s4d-small-s0)`, may only
  /// state theirs, with the standard error (`37.0 ± 1.1 %`) or without (`37.0 %`). In a text with such
  /// links every line that states an accuracy with its error has to link its runs; in one without, as a
  /// drawing, it must be that of any run. Means over seeds count.
  package func unexplained(in text: String) -> [String] {
    let links = runs.map { (run: $0, text: "\(RunDocument.name)#\(RunDocument.anchor($0)))") }
    let isLinked = links.contains { text.contains($0.text) }
    let all = isLinked ? [] : Self.figures(runs)
    return text.split(separator: "\n").flatMap { line in
      let linked = links.filter { line.contains($0.text) }.map(\.run)
      let known = linked.isEmpty ? all : Self.figures(linked)
      return line.matches(of: /\d+\.\d( ± \d+\.\d)? %/)
        .filter { !linked.isEmpty || $0.output.1 != nil }
        .map { String($0.output.0) }.filter { !known.contains($0) }
    }
  }

  /// Every accuracy that runs amount to, as texts have it: on the test split that of each run's best and
  /// last checkpoint, and the means over seeds; on validation the same without an error.
  private static func figures(_ runs: [RunRecord]) -> Set<String> {
    let tests = runs.compactMap(\.result).flatMap { [$0.testBest, $0.testLast] }
      .map { ($0.accuracy, $0.error) }
    let groups = SeedGroup.all(runs).flatMap { group in
      [group.accuracy, group.bestAccuracy, group.lastAccuracy].map { ($0, group.error) }
    }
    let validation = runs.map(\.validationAccuracy) + SeedGroup.all(runs).map(\.validationAccuracy)
    return Set(
      (tests + groups).flatMap { accuracy, error in
        let figure = String(format: "%.1f", accuracy * 100)
        return ["\(figure) %", figure + String(format: " ± %.1f %%", error * 100)]
      } + validation.compactMap { $0.map { String(format: "%.1f %%", $0 * 100) } })
  }

  // MARK: Publishing

  /// About as many points of training are kept of a run.
  private static let trainingPoints = 30

  /// Adds a finished run to a folder's file of runs, in the place of one of the same name.
  ///
  /// The machine's name and the paths of the user's data stay out.
  ///
  /// - Returns: the place of the run, as `runs.jsonl#NAME`.
  /// - Throws: `UserError` when the run has no result, or the file cannot be written.
  package static func publish(_ run: RunRecord, to folder: String) throws -> String {
    guard var result = run.result else {
      throw UserError(
        .missingInput, "\(run.path): has no result", remedy: "publish it when it is done")
    }
    result.dataSource = shortened(result.dataSource, task: result.task)
    var environment = run.environment
    environment?.host = ""
    environment?.command =
      ["lra"]
      + (run.environment?.command ?? []).dropFirst().map { argument in
        argument.hasPrefix("/") ? lastName(of: argument) : argument
      }
    try createFolder(folder)
    let file = "\(folder)/\(RunFile.name)"
    try RunFile.add(
      PublishedRun(
        name: run.name, result: result, config: run.settings.nested, env: environment,
        validation: curve(run.validation), training: curve(thinned(run.training))), to: file)
    return "\(file)#\(run.name)"
  }

  /// Some of the points, as far apart as they can be.
  private static func thinned(_ points: [RunRecord.Point]) -> [RunRecord.Point] {
    let every = max(1, points.count / trainingPoints)
    return points.enumerated().filter { ($0.offset + 1) % every == 0 }.map(\.element)
  }

  private static func curve(_ points: [RunRecord.Point]) -> PublishedRun.Curve {
    var curve = PublishedRun.Curve()
    curve.step = points.map(\.step)
    curve.accuracy = points.map(\.accuracy)
    curve.loss = points.map(\.loss)
    return curve
  }

  /// A source without the place of the user's data: `read from data/image/cifar-10-batches-bin`.
  private static func shortened(_ source: String, task: String) -> String {
    guard let start = source.range(of: "/[^ ]*/\(task)", options: .regularExpression) else {
      return source
    }
    return source.replacingCharacters(in: start, with: "data/\(task)")
  }
}
