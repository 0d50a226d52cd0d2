// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Base
import Foundation
import Reports
import Runs

/// `lra reproduce`: the runs behind the published figures, checked and done again.
struct Reproduce: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check the published figures against their runs, and do runs again.",
    usage: "lra reproduce [NAME ...] [OPTION ...]",
    discussion: """
      lra reproduce
      lra reproduce listops-s4d-small-s0 --run

      Without --run it checks that every accuracy in the README and the documents is that of a published \
      run and every ratio to PyTorch one that was measured, and says what differs. With --run it \
      trains the named runs, or all, and compares.
      """)

  @Argument(help: "Names of published runs. Default: all.")
  var names: [String] = []
  @Flag(name: .customLong("run"), help: "Train the runs again; all of them take days.")
  var trains = false
  @Flag(help: "Print the commands that train the runs and measure the ratios.")
  var commands = false
  @Option(help: "The folder of published runs.", completion: .file(), transform: pathArgument)
  var results = "docs/results"
  @Option(
    help: "The texts whose figures are checked, separated by commas.", completion: .file(),
    transform: pathArgument)
  var text = "README.md,docs/accuracy.svg,docs/results.md,docs/speed.md"
  @Option(help: "Where the new runs go.", completion: .file(), transform: pathArgument)
  var output = "runs/reproduce"
  @Option(
    help: "Where data lives. Default: $LRA_DATA or data.", completion: .file(),
    transform: pathArgument)
  var data: String?
  @Option(help: "Publish these runs first: folders, separated by commas.")
  var publish: String?

  func run() throws {
    for folder in try publish.map(commaSeparated)?.map(pathArgument) ?? [] {
      try printResult(
        "published         \(try PublishedRuns.publish(RunRecord(folder), to: results))")
    }
    let published = try PublishedRuns(results)
    let chosen = try choose(published)
    if trains {
      Interrupts.install()
      return try chosen.forEach(again)
    }
    let log = PeerLog([results])
    if let problem = log.problems.first {
      throw UserError(.badData, problem, remedy: "restore the file from the repository")
    }
    let peers = PeerTables(log.rounds)
    try check(published, peers)
    guard commands else { return }
    for record in chosen { try printResult("lra " + arguments(record).joined(separator: " ")) }
    if names.isEmpty { try peers.commands.forEach { try printResult($0) } }
  }

  private func choose(_ published: PublishedRuns) throws -> [RunRecord] {
    if names.isEmpty { return published.runs }
    return try names.map { name in
      if let found = published.runs.first(where: { $0.name == name }) { return found }
      let near = nearestNames(to: name, among: published.runs.map(\.name))
      throw UserError(
        .usage, "\(results): there is no run \(name)",
        remedy: near.isEmpty ? "lra reproduce lists them" : "did you mean \(near[0])?")
    }
  }

  private func arguments(_ record: RunRecord) -> [String] {
    let text = { (key: String) in record.settings[key]?.description ?? "" }
    return [
      "train", "--task", text("task.name"), "--model", text("model.name"), "--config",
      record.folder.map { "\($0)/config.json" } ?? record.path, "--threads",
      "\(record.result?.threads ?? 1)", "--output", "\(output)/\(record.name)",
    ]
  }

  /// Says whether the figures are those of runs and measurements, and which are not.
  private func check(_ published: PublishedRuns, _ peers: PeerTables) throws {
    let texts = commaSeparated(text)
    let differing = try texts.flatMap { text in
      let content = String(decoding: try readFile(text), as: UTF8.self)
      return peers.unexplained(in: content).map { "\(text): \(results)/peers.jsonl has no \($0)" }
        + published.unexplained(in: content).map {
          "\(text): no run in \(results), or none that the line links, has \($0)"
        }
    }
    guard !differing.isEmpty else {
      return try printResult(
        "every accuracy in \(commaSeparated(text).joined(separator: ", ")) is that of a run in "
          + "\(results), every ratio to PyTorch measured")
    }
    throw UserError(
      .failed,
      ([counted(differing.count, "figure") + " without a run or measurement"] + differing)
        .joined(separator: "\n  "),
      remedy: """
        correct the figure, link its run in the same line, publish its run with --publish FOLDER, or \
        measure the ratio: make bench-peers ARGS="--log FILE"
        """)
  }

  private func again(_ record: RunRecord) throws {
    let folder = "\(output)/\(record.name)"
    var arguments = arguments(record)
    if RunFolder.holdsRun(folder) { arguments = ["train", "--resume", folder] }
    if !RunRecord.isDone(folder) {
      let outcome = try ChildProcess.runSelf(arguments + ["--data", dataFolder(data), "--json"])
      try Interrupts.check()
      guard outcome.end == .exited(0) else {
        throw UserError(
          .failed, "\(record.name) \(outcome.end.reason)", remedy: "see the message above")
      }
    }
    guard let published = record.result, let new = try RunRecord(folder).result else { return }
    try printResult("\(record.name): \(words(Reproduction(published: published, again: new), new))")
  }

  private func words(_ outcome: Reproduction, _ result: RunResult) -> String {
    let accuracy = result.test.formattedAccuracy
    return switch outcome {
    case .exact: "\(accuracy), exactly as published"
    case .withinError(let points):
      "\(accuracy), \(String(format: "%+.1f", points)) points, within the error"
    case .different(let points):
      "\(accuracy), \(String(format: "%+.1f", points)) points: DIFFERENT"
    }
  }
}
