// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Autodiff
import Base
import Foundation
import Machine
import Models
import Reports
import Tasks

/// `lra leaderboard`: trains a grid of tasks, models, lengths and seeds, and reports.
struct Leaderboard: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a grid of tasks, models, lengths, settings and seeds, and report it.",
    usage: "lra leaderboard [OPTION ...]",
    discussion: """
      lra leaderboard --tasks listops --models linformer,s4d --seeds 0,1,2
      lra leaderboard --tasks text,image --lengths 1024 --budget 4h
      lra leaderboard --models s4d --set train.learning-rate=1e-3,3e-4

      A list after --set is one more side of the grid; the report orders its values by validation \
      accuracy. Says first what it will cost, measured by a few steps of each training, and asks nothing. \
      Typed again it goes on where it was; two may work in one folder. A training that fails is \
      listed at the end.
      """)

  @Option(help: "Tasks, separated by commas.", completion: .tasks)
  var tasks = "listops"
  @Option(help: "Models, separated by commas. Default: all.", completion: .models)
  var models: String?
  @Option(parsing: .unconditional, help: "Seeds, separated by commas.")
  var seeds = "0"
  @Option(help: "The preset. Default: each task's first, small.", completion: .presets)
  var preset: String?
  @Option(
    parsing: .unconditional,
    help: "Longest sequences in tokens, separated by commas. Default: the preset's.")
  var lengths: String?
  @Option(
    help: """
      Time for all trainings, such as 4h: each gets the same share of the preset's steps, so that the \
      whole ends in time; its rows are marked.
      """)
  var budget: String?
  @Option(parsing: .unconditional, help: "Trainings at once. Default: one for each thread.")
  var jobs: Int?
  @Option(
    help:
      "Threads of all trainings together, with --emit of each. Default: all cores, or $LRA_THREADS; with --emit 1."
  )
  var threads: Int?
  @Option(
    parsing: .unconditional,
    help: "Optimizer steps of every training; the schedules are fitted. Default: the preset's.")
  var steps: Int?
  @Option(parsing: .unconditional, help: "Examples a step. Default: the preset's.")
  var batch: Int?
  @Option(
    name: .customLong("set"),
    help: "key=value for every training, or key=a,b to train with each. May be repeated.")
  var assignments: [String] = []
  @Option(
    parsing: .unconditional,
    help: """
      Lengths at which speed and memory of all models are measured, those of quadratic cost up to \
      4096; none for no measurement.
      """)
  var speed = "1024,2048,3072,4096"
  @Option(
    help: "The folder of runs, journal and report. Default: runs/leaderboard.", completion: .file(),
    transform: pathArgument)
  var output = "runs/leaderboard"
  @Option(
    help: "Where data lives. Default: $LRA_DATA or data.", completion: .file(),
    transform: pathArgument)
  var data: String?
  @Flag(help: "Measure and say what it will cost, and stop.")
  var dryRun = false
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Write the grid as an array of Slurm jobs into a folder, and stop.",
      valueName: "slurm folder"))
  var emit: [String] = []
  @Option(help: "With --emit: the time that Slurm gives a training before it is queued again.")
  var time = "24h"

  func run() throws {
    if let threads { try useThreads(threads) }
    let cores = Workers.shared.count
    if let jobs { try require("--jobs", jobs, atLeast: 1) }
    let (cells, refused) = try grid()
    if !emit.isEmpty { return try emit(cells, refused) }
    let jobs = min(jobs ?? cores, cells.count)
    let threads = max(1, cores / jobs)
    let folder = LeaderboardFolder(output)
    let runner = try LeaderboardRunner(
      LeaderboardRunner.Options(
        folder: folder, cells: cells,
        budget: try budget.map { try parseDuration($0, option: "--budget") }, jobs: jobs,
        threads: threads, dataFolder: dataFolder(data)))
    let speedLengths = try speed == "none" ? [] : integers("--speed", speed, atLeast: 1)
    Interrupts.install()
    try runner.measure()
    try runner.plan()
    if dryRun { return }
    try runner.train()
    let failures = try SpeedCells(
      folder: folder, models: modelNames, lengths: speedLengths, threads: 1
    ).measure(while: { !runner.isOver })
    try runner.stopIfAsked()
    try report(folder)
    try finish(refused + runner.failures + failures)
  }

  /// Writes the grid for Slurm.
  private func emit(_ cells: [LeaderboardCell], _ refused: [String]) throws {
    guard emit.count == 2, emit[0] == "slurm" else {
      throw UserError(
        .usage, "--emit takes slurm and a folder, not \"\(emit.joined(separator: " "))\"",
        remedy: "for example: lra leaderboard --tasks text --emit slurm runs/text")
    }
    let seconds = try parseDuration(time, option: "--time")
    try SlurmArray(
      cells: cells, folder: emit[1], dataFolder: dataFolder(data), threads: threads ?? 1,
      minutes: max(3, Int((min(seconds, 1e8) / 60).rounded(.up)))
    ).write()
    refused.forEach { printMessage("left out: \($0)") }
    try printResult(
      "\(cells.count) trainings; hand them in with: sh \(shellQuoted("\(emit[1])/submit.sh"))")
  }

  /// What the short forms say, as assignments.
  private var shortForms: [String] {
    [("train.steps", steps), ("train.batch", batch)].compactMap { key, value in
      value.map { "\(key)=\($0)" }
    }
  }

  private var modelNames: [String] {
    models.map(commaSeparated) ?? VariantCatalog.all.map(\.name)
  }

  /// The cells that the flags ask for, and those that no model can be made for, each with the reason.
  private func grid() throws -> (possible: [LeaderboardCell], refused: [String]) {
    let cells = try LeaderboardCell.grid(
      tasks: commaSeparated(tasks), models: modelNames,
      lengths: lengths.map { try integers("--lengths", $0, atLeast: 1) } ?? [],
      seeds: integers("--seeds", seeds, atLeast: 0), preset: preset,
      assignments: assignments + shortForms)
    var refused: [String] = []
    let possible = try cells.filter { cell in
      do {
        _ = try cell.resolve(dataFolder: dataFolder(data))
        return true
      } catch let error as UserError {
        if cells.count == 1 { throw error }
        refused.append("\(cell.folder(steps: nil)): \(error.problem) \(error.remedy)")
        return false
      }
    }
    guard !possible.isEmpty else {
      throw UserError(
        .configuration, "none of the \(cells.count) trainings is possible",
        remedy: refused.first ?? "")
    }
    return (possible, refused)
  }

  private func report(_ folder: LeaderboardFolder) throws {
    var data = try ReportData(folders: [folder.path])
    data.terms = try .fromEnvironment()
    data.problems.forEach { printMessage("left out: \($0)") }
    let report = Report(data)
    let page = try report.write(to: folder.report)
    try printResult(report.text)
    for sweep in Sweep.all(SeedGroup.all(data.runs)) {
      try printResult("chosen            \(sweep.choice)")
    }
    try printResult("report            \(page)")
  }

  private func finish(_ failures: [String]) throws {
    guard !failures.isEmpty else { return }
    printMessage("\(failures.count) failed; the same command tries them again:")
    failures.forEach { printMessage("  \($0)") }
    throw ExitCode(UserError.Kind.failed.rawValue)
  }
}
