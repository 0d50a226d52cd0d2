// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Machine
import Models
import Tasks
import Training

/// A run's model in memory, answering, to be timed once or in turns with other processes.
///
/// Making one answers twice, which brings in all memory.
final class AnsweringSession {
  /// What it answers.
  enum Input {
    /// Random tokens, as many as the longest sequence has.
    case random
    /// Examples of the validation split, the first of it.
    case examples
  }

  /// The run, read back.
  let saved: SavedModel
  /// Examples at once, where there are many.
  static let manyAtOnce = 32
  /// Examples that are answered one at a time before they begin anew.
  private static let most = 100
  private let single: [PackedTokens]
  private let many: PackedTokens
  /// How sure exits have to be; nil where all go through the whole model, as random tokens do.
  private let leaving: Double?
  private let energy = EnergyCounter()
  private var place = 0

  /// Reads the model of a run's best checkpoint.
  ///
  /// - Throws: `UserError` for a run, or examples, that cannot be read.
  init(_ run: String, _ input: Input = .random) throws {
    saved = try SavedModel(run, choice: .best, dataFolder: dataFolder(nil, ofRun: run))
    let configuration = saved.configuration
    switch input {
    case .random:
      leaving = nil
      single = [Self.random(configuration.model, examples: 1)]
      many = Self.random(configuration.model, examples: Self.manyAtOnce)
    case .examples:
      leaving = configuration.exits.leaving
      try configuration.task.prepare { printMessage($0) }
      let source = try configuration.task.examples(.val)
      let pack = { (examples: [Int]) in
        try makeBatch(source, examples: examples, towers: configuration.task.towers)
          .packed(capacity: configuration.model.length)
      }
      single = try (0..<min(Self.most, source.count)).map { try pack([$0]) }
      many = try pack((0..<Self.manyAtOnce).map { $0 % source.count })
    }
    for input in single.prefix(1) + [many] { _ = seconds(input) }
  }

  /// Answers some examples one at a time, those behind the last turn's, and 32 at once.
  func turn(passes: Int, ofMany: Int) -> RunTurn {
    let model = saved.model
    var turn = RunTurn()
    Profiler.shared.reset()
    turn.latencyS = (0..<passes).map { seconds(single[(place + $0) % single.count]) }
    turn.flops = Profiler.shared.flops / passes
    place += passes
    let (times, joules) = energy.measured { (0..<ofMany).map { _ in seconds(many) } }
    turn.manyS = times
    turn.energyJ = joules.map { $0 / Double(ofMany * Self.manyAtOnce) }
    turn.peakResidentBytes = peakResidentBytes()
    let trained = model.parameters.ofModel.filter { $0.group != .buffer }
    turn.weights = model.parameters.count
    turn.nonzero = trained.reduce(0) { sum, weight in sum + weight.values.count { $0 != 0 } }
    return turn
  }

  /// Seconds of an answer, by an exit where examples leave the model early.
  private func seconds(_ input: PackedTokens) -> Double {
    let start = monotonicSeconds()
    if let leaving {
      _ = saved.model.answers(input, leavingAt: leaving)
    } else {
      _ = saved.model(input)
    }
    return monotonicSeconds() - start
  }

  private static func random(_ configuration: ModelConfiguration, examples: Int) -> PackedTokens {
    var random = RandomStream(seed: 0, stream: 1)
    let sequences = examples * configuration.towers
    return PackedTokens(
      tokens: (0..<sequences * configuration.length).map { _ in
        Int32(1 + random.integer(below: max(configuration.vocabulary - 1, 1)))
      },
      offsets: (0...sequences).map { $0 * configuration.length }, capacity: configuration.length)
  }
}
