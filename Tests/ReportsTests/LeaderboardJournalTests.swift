// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine
import Reports
import Testing
import Training

@Suite("The journal of a leaderboard")
struct LeaderboardJournalTests {
  private let cost = RunCost(
    stepSeconds: 0.5, validationSeconds: 1, testSeconds: 2, peakResidentBytes: 3, steps: 4,
    evalEvery: 5, threads: 1)

  @Test("Two processes write to one file, and half a line of a killed one spoils no other")
  func shared() throws {
    try withScratchFolder { folder in
      let first = try LeaderboardJournal(folder: folder)
      try first.write(LeaderboardJournal.Entry(.started, "a"))
      let path = "\(folder)/journal.jsonl"
      let torn = try #require(FileHandle(forWritingAtPath: path))
      try torn.seekToEnd()
      try torn.write(contentsOf: Data("{\"event\":\"don".utf8))
      try torn.close()
      let second = try LeaderboardJournal(folder: folder)
      try second.write(LeaderboardJournal.Entry(.done, "a"))
      try first.write(LeaderboardJournal.Entry(.started, "b"))
      #expect(second.entries().map(\.event) == [.started, .done, .started])
      #expect(first.entries().map(\.subject) == ["a", "a", "b"])
    }
  }

  @Test("Costs are those of the same number of threads, the latest counting")
  func costs() throws {
    try withScratchFolder { folder in
      let journal = try LeaderboardJournal(folder: folder)
      for (seconds, threads) in [(0.5, 1), (0.25, 1), (0.1, 2)] {
        var entry = LeaderboardJournal.Entry(.measured, "k")
        var changed = cost
        (changed.stepSeconds, changed.threads) = (seconds, threads)
        entry.cost = changed
        try journal.write(entry)
      }
      #expect(journal.costs(threads: 1)["k"]?.stepSeconds == 0.25)
      #expect(journal.costs(threads: 3).isEmpty)
    }
  }

  @Test("Planned steps belong to their budget")
  func planned() throws {
    try withScratchFolder { folder in
      let journal = try LeaderboardJournal(folder: folder)
      var entry = LeaderboardJournal.Entry(.planned, "c")
      entry.steps = 30
      entry.budget = 3600
      try journal.write(entry)
      #expect(journal.plannedSteps(budget: 3600) == ["c": 30])
      #expect(journal.plannedSteps(budget: 60).isEmpty)
    }
  }
}

@Suite("The folder of a leaderboard")
struct LeaderboardFolderTests {
  private let cell = LeaderboardCell(
    task: "listops", model: "linformer", preset: "small", length: nil, seed: 0, assignments: [])

  @Test("A training is open, planned, begun or done, as its folder says")
  func states() throws {
    try withScratchFolder { path in
      let folder = LeaderboardFolder(path)
      #expect(folder.state(of: cell, planned: nil) == .open)
      #expect(folder.state(of: cell, planned: 30) == .fixed(steps: 30, taken: 0))
      let short = folder.run(cell, steps: 30)
      try SyntheticRun().write(to: short)
      #expect(folder.state(of: cell, planned: 30) == .done)
      #expect(folder.state(of: cell, planned: nil) == .open)
      try FileManager.default.removeItem(atPath: "\(short)/result.json")
      try FileManager.default.createDirectory(
        atPath: "\(short)/checkpoints/step-00000020", withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(
        atPath: "\(short)/checkpoints/last", withDestinationPath: "step-00000020")
      // A checkpoint that is not complete is none.
      #expect(folder.state(of: cell, planned: 30) == .fixed(steps: 30, taken: 0))
      try Data().write(
        to: URL(fileURLWithPath: "\(short)/checkpoints/step-00000020/COMPLETE"))
      #expect(folder.state(of: cell, planned: 30) == .fixed(steps: 30, taken: 20))
      // Without its links a checkpoint is still found.
      try FileManager.default.removeItem(atPath: "\(short)/checkpoints/last")
      #expect(folder.state(of: cell, planned: 30) == .fixed(steps: 30, taken: 20))
    }
  }

  @Test("A result that cannot be read is none: the training is gone on with")
  func damagedResult() throws {
    try withScratchFolder { path in
      let folder = LeaderboardFolder(path)
      let run = folder.run(cell, steps: nil)
      try SyntheticRun().write(to: run)
      #expect(folder.state(of: cell, planned: nil) == .done)
      truncate("\(run)/result.json", 100)
      #expect(folder.state(of: cell, planned: nil) == .fixed(steps: nil, taken: 0))
    }
  }

  @Test("A claim is given to one at a time")
  func claims() throws {
    try withScratchFolder { path in
      let folder = LeaderboardFolder(path)
      let claim = try folder.claim("x")
      #expect(claim != nil)
      #expect(try folder.claim("x") == nil)
      #expect(try folder.claim("y") != nil)
      withExtendedLifetime(claim) {}
    }
  }
}
