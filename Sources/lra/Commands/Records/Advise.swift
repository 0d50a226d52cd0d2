// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Base
import Foundation
import Reports
import Tasks
import Training

/// `lra advise`: which model to take, from the user's own measurements.
struct Advise: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say which model and method to take for a task, from your own measurements.",
    usage: "lra advise --task TASK [OPTION ...]",
    discussion: """
      lra advise --task text --length 4096 --memory 4GiB --time 2h
      lra advise --task listops --goal latency

      With --goal it names methods, from the tables of lra ladder, and for labels from \
      self-pretrained runs; where nothing was measured it says so.
      """)

  @Option(help: "The task, such as text.", completion: .tasks)
  var task: String
  @Option(parsing: .unconditional, help: "The longest sequence in tokens. Default: the task's.")
  var length: Int?
  @Option(help: "The most memory, such as 4GiB or 512MiB.")
  var memory: String?
  @Option(help: "The most training time, such as 2h.")
  var time: String?
  @Option(help: "What a method is to gain; labels is more accuracy of the same labels.")
  var goal: MethodAdvice.Goal?
  @Option(
    help: "A folder with runs, or a file of runs. May be repeated. Default: runs.",
    completion: .file(), transform: pathArgument)
  var folder: [String] = []
  @Option(
    help: "Published runs, which stand in for models without own ones.", completion: .file(),
    transform: pathArgument)
  var published = "docs/results"
  @Flag(help: "Print the answer as JSON.")
  var json = false

  func run() throws {
    if let length { try require("--length", length, atLeast: 1) }
    let entry = try TaskCatalog.named(task)
    let question = Advice.Question(
      task: task, length: try length ?? entry.make(TaskOptions()).length,
      memory: try memory.map { try parseBytes($0, option: "--memory") },
      time: try time.map { try parseDuration($0, option: "--time") }, goal: goal)
    let advice = try advice(question)
    try printResult(json ? try jsonText(advice) : advice.text)
  }

  private func advice(_ question: Advice.Question) throws -> Advice {
    // Without own runs, published ones are something to go by.
    let isPublished = FileManager.default.fileExists(atPath: published)
    let given = folder.isEmpty ? ["runs"] : folder
    let own = folder.isEmpty && isPublished ? given.filter(FileSystem.isFolder) : given
    let elsewhere = isPublished && !own.contains(published) ? [published] : []
    let (collection, others) = try (RunCollection(own), RunCollection(elsewhere))
    let speed = SpeedLog(elsewhere + own)
    let (ownLadders, otherLadders) = (LadderTables.records(own), LadderTables.records(elsewhere))
    (collection.problems + others.problems + speed.problems + ownLadders.problems
      + otherLadders.problems).forEach { printMessage("left out: \($0)") }
    guard !(collection.finished + others.finished).isEmpty || !speed.results.isEmpty else {
      throw UserError(
        .missingInput, "there is no finished run and no speed.jsonl to learn from",
        remedy: "train some first: \(programWord) leaderboard --tasks \(task) --budget 1h")
    }
    return try Advice(
      question, runs: collection.finished, published: others.finished, speed: speed.results,
      ladders: (ownLadders.ladders, otherLadders.ladders))
  }
}

extension MethodAdvice.Goal: ExpressibleByArgument {}
