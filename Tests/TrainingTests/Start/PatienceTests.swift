// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Runs
import Testing
import Training

/// Runs that end before their last step because nothing gets better.
@Suite("Patience")
struct PatienceTests {
  /// Nothing is learned: all evaluations are alike, and the first is the best.
  private static let stuck = ["train.learning-rate=1e-30", "train.eval-every=2"]

  @Test(
    "A run ends after so many evaluations without a better one",
    arguments: [(0, 12), (1, 4), (2, 6), (5, 12), (9, 12)])
  func ends(patience: Int, steps: Int) throws {
    try withTemporaryFolder { folder in
      let run = try ResumableRun(folder, Self.stuck + ["train.patience=\(patience)"])
      let result = try run.train()
      #expect(result.steps == steps && result.plannedSteps == 12 && result.bestStep == 2)
      #expect(
        result.ended
          == (steps == 12
            ? "all steps done" : "no better evaluation in \(patience), after \(steps) of 12 steps"))
      #expect(result.comparable == false || patience == 0)
    }
  }

  @Test(
    "Ended anywhere and resumed, it ends at the same step with the same bytes",
    arguments: [2, 4, 6])
  func resumed(step: Int) throws {
    try withTemporaryFolder { folder in
      let run = try ResumableRun(
        folder, Self.stuck + ["train.patience=2", "train.checkpoint-every=1"])
      let result = try run.train()
      let bytes = run.bytes()
      for later in (step + 1)..<7 where exists(run.checkpoint(later)) {
        try run.remove(run.checkpoint(later))
      }
      try run.remove(run.file("result.json"))
      #expect(try run.resume().steps == result.steps)
      #expect(run.bytes() == bytes)
    }
  }

  @Test("A better evaluation begins the count anew")
  func better() throws {
    try withTemporaryFolder { folder in
      let changes = [
        "train.eval-every=1", "train.steps=40", "train.learning-rate=1e-2", "task.val-count=100",
      ]
      let run = try ResumableRun(folder, changes + ["train.patience=3"])
      let result = try run.train()
      let best = try #require(result.bestStep)
      #expect(result.steps == min(40, best + 3))
    }
  }
}
