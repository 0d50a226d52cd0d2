// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Machine
import Models
import Training

/// A run's model in memory, answering random tokens, to be timed once or in turns with other processes.
///
/// Making one answers twice, which brings in all memory.
final class AnsweringSession {
  /// The run, read back.
  let saved: SavedModel
  /// Examples at once, where there are many.
  static let manyAtOnce = 32
  private let one: PackedTokens
  private let many: PackedTokens
  private let energy = EnergyCounter()

  /// Reads the model of a run's best checkpoint.
  ///
  /// - Throws: `UserError` for a run that cannot be read.
  init(_ run: String) throws {
    saved = try SavedModel(run, choice: .best, dataFolder: dataFolder(nil, ofRun: run))
    one = Self.input(saved.model.configuration, examples: 1)
    many = Self.input(saved.model.configuration, examples: Self.manyAtOnce)
    for input in [one, many] { _ = saved.model(input) }
  }

  /// Answers one example several times, and 32 at once.
  func turn(passes: Int, ofMany: Int) -> RunTurn {
    let model = saved.model
    var turn = RunTurn()
    turn.latencyS = (0..<passes).map { _ in seconds(one) }
    let (times, joules) = energy.measured { (0..<ofMany).map { _ in seconds(many) } }
    turn.manyS = times
    turn.energyJ = joules.map { $0 / Double(ofMany * Self.manyAtOnce) }
    turn.peakResidentBytes = peakResidentBytes()
    Profiler.shared.reset()
    _ = model(one)
    turn.flops = Profiler.shared.flops
    let trained = model.parameters.ofModel.filter { $0.group != .buffer }
    turn.weights = model.parameters.count
    turn.nonzero = trained.reduce(0) { sum, weight in sum + weight.values.count { $0 != 0 } }
    return turn
  }

  private func seconds(_ input: PackedTokens) -> Double {
    let start = monotonicSeconds()
    _ = saved.model(input)
    return monotonicSeconds() - start
  }

  private static func input(_ configuration: ModelConfiguration, examples: Int) -> PackedTokens {
    var random = RandomStream(seed: 0, stream: 1)
    let sequences = examples * configuration.towers
    return PackedTokens(
      tokens: (0..<sequences * configuration.length).map { _ in
        Int32(1 + random.integer(below: max(configuration.vocabulary - 1, 1)))
      },
      offsets: (0...sequences).map { $0 * configuration.length }, capacity: configuration.length)
  }
}
