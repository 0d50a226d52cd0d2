// SPDX-License-Identifier: Apache-2.0

import Base
import Training

/// What a ladder takes, and how many training steps a budget allows.
///
/// Beside the baseline, the methods alone and their measurement it counts one further run for each method
/// but one, which the search may add.
package struct LadderBudget: Sendable {
  private let fixed: Double
  private let perStep: Double
  private let jobs: Int
  private let whole: Int

  /// - Parameters:
  ///   - baseline: what its training costs; nil where all are done.
  ///   - trainings: the same of the methods that train from the start.
  ///   - compressions: the methods that begin with the baseline's run.
  ///   - steps: of a training, and of the one after a compression.
  package init(
    baseline: RunCost?, trainings: [RunCost], compressions: Int, seeds: Int, jobs: Int, steps: Int,
    tuning: Int
  ) {
    self.jobs = max(jobs, 1)
    whole = steps
    guard let baseline else {
      (fixed, perStep) = (0, 0)
      return
    }
    let methods = trainings.count + compressions
    let share = Double(tuning) / Double(max(steps, 1))
    // What the search adds is trained from the start where a method is, and compressed.
    let search = Double(max(methods - 1, 0))
    let tuned = Double(compressions) + search
    let all =
      [baseline] + trainings
      + (trainings.isEmpty ? [] : [baseline]).flatMap {
        Array(repeating: $0, count: Int(search))
      }
    let runs = all.reduce(0) { $0 + $1.fixedSeconds } + tuned * baseline.fixedSeconds
    fixed =
      Double(seeds) * runs
      + Self.stepsOfMeasurement * baseline.stepSeconds * Double(methods) * Double(self.jobs)
    perStep =
      Double(seeds)
      * (all.reduce(0) { $0 + $1.secondsPerStep } + tuned * share * baseline.secondsPerStep)
  }

  /// A row's measurement in turns takes about as long as so many training steps.
  private static let stepsOfMeasurement = 30.0

  /// Seconds of all with trainings of so many steps.
  package func seconds(steps: Int) -> Double { (fixed + perStep * Double(steps)) / Double(jobs) }

  /// The steps of the trainings that fit; nil where the preset's do.
  ///
  /// - Throws: `UserError(.usage)` for a budget in which nothing can be trained.
  package func steps(within budget: Double) throws -> Int? {
    let room = budget * LeaderboardPlan.reserve * Double(jobs) - fixed
    guard perStep > 0, room < perStep * Double(whole) else { return nil }
    let steps = Int(max(0, room / perStep))
    let least = min(LeaderboardPlan.fewestSteps, whole)
    guard steps >= least else {
      let needed = seconds(steps: least) / LeaderboardPlan.reserve
      throw UserError(
        .usage,
        "--budget \(formatDuration(seconds: budget)) is too little for this ladder, of which the "
          + "shortest takes \(formatDuration(seconds: needed.rounded(.up)))",
        remedy: "give more, or fewer --methods or --seeds")
    }
    return steps
  }
}
