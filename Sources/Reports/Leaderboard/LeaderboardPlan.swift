// SPDX-License-Identifier: Apache-2.0

import Base
import Machine
import Training

/// How long each training of a grid is to be, so that all of them end in time.
package struct LeaderboardPlan: Sendable {
  /// A training and what it takes.
  package struct Item: Sendable {
    /// The training.
    package var cell: LeaderboardCell
    /// What it takes by measurement, whole.
    package var cost: RunCost
    /// Where it stands.
    package var state: State

    package init(cell: LeaderboardCell, cost: RunCost, state: State) {
      self.cell = cell
      self.cost = cost
      self.state = state
    }
  }

  /// Where a training stands.
  package enum State: Sendable, Equatable {
    /// Not begun; its number of steps can still be chosen.
    case open
    /// Begun or planned by an earlier call, with this number of steps (nil: the preset's), of which
    /// so many are taken.
    case fixed(steps: Int?, taken: Int)
    /// Ended.
    case done
  }

  /// The trainings.
  package var items: [Item]
  /// Steps of each open training under the budget, by place; nil for as many as the preset has.
  package private(set) var steps: [Int?]
  /// The share of the preset's steps that the budget allows, 1 without one.
  package private(set) var share = 1.0

  /// Trainings shorter than this are not worth their test.
  package static let fewestSteps = 10
  /// The share of a budget that is planned for; the rest is for what was not foreseen.
  package static let reserve = 0.9

  /// Plans.
  ///
  /// Every open training gets the same share of its preset's steps, so that rows stay comparable:
  ///
  ///     share = (budget · jobs · 0.9 − Σ fixed) / Σ steps · secondsPerStep
  ///
  /// where `fixed` is what begun trainings still need and what tests take.
  ///
  /// - Parameters:
  ///   - budget: seconds that all of it may take from here; nil for no limit.
  ///   - jobs: trainings at once.
  /// - Throws: `UserError(.usage)` for a budget in which nothing can be trained.
  package init(_ items: [Item], budget: Double?, jobs: Int) throws {
    self.items = items
    steps = items.map { _ in nil }
    guard let budget else { return }
    let open = items.filter { $0.state == .open }
    guard !open.isEmpty else { return }
    let begun = items.filter { $0.state != .open }.map(Self.secondsLeft).reduce(0, +)
    let tests = open.map(\.cost.fixedSeconds).reduce(0, +)
    let growing = open.map { $0.cost.secondsPerStep * Double($0.cost.steps) }.reduce(0, +)
    let room = budget * Double(jobs) * Self.reserve - begun - tests
    // Trainings without steps have nothing to share out.
    share = growing > 0 ? min(1, max(0, room / growing)) : 1
    guard share < 1 else { return }
    for place in items.indices where items[place].state == .open {
      let whole = items[place].cost.steps
      let planned = Int((share * Double(whole)).rounded(.down))
      guard planned >= min(Self.fewestSteps, whole) else {
        let least = Self.leastShare(open)
        let seconds = (begun + tests + least * growing) / Self.reserve / Double(jobs)
        throw UserError(
          .usage,
          "the budget leaves \(formatDuration(seconds: budget)) for training, which is too little",
          remedy:
            "give at least \(formatDuration(seconds: seconds)) more than was used, or fewer models")
      }
      steps[place] = planned
    }
  }

  /// The share at which the shortest schedule still has the fewest steps.
  private static func leastShare(_ open: [Item]) -> Double {
    let shortest = open.map(\.cost.steps).min() ?? 1
    return min(1, Double(fewestSteps) / Double(max(shortest, 1)))
  }

  /// Seconds that a training still needs, on one job.
  package static func secondsLeft(_ item: Item) -> Double {
    switch item.state {
    case .done: return 0
    case .open: return item.cost.seconds
    case .fixed(let steps, let taken):
      return item.cost.seconds(steps: max(0, (steps ?? item.cost.steps) - taken))
    }
  }

  /// Seconds that all of it takes from here with so many jobs, each taking the next training.
  package func seconds(jobs: Int) -> Double {
    var busy = [Double](repeating: 0, count: max(jobs, 1))
    for (item, steps) in zip(items, steps) {
      let free = busy.indices.min { busy[$0] < busy[$1] } ?? 0
      busy[free] += steps.map { item.cost.seconds(steps: $0) } ?? Self.secondsLeft(item)
    }
    return busy.max() ?? 0
  }

  /// The most memory that so many trainings hold at once, bytes.
  package func peakBytes(jobs: Int) -> Int {
    items.filter { $0.state != .done }.map(\.cost.peakResidentBytes).sorted(by: >)
      .prefix(jobs).reduce(0, +)
  }
}
