// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation
import Machine
import Models
import Training

/// How fast a run's model answers: the time of one example, and how many a second 32 at once are.
struct RunSpeed: Encodable {
  let run: String
  let processor: String?
  let model: String
  /// Tokens of an example; none is padded.
  let length: Int
  /// Of the operands of linear maps, and the instructions of their products.
  let precision: String
  let kernel: String
  let params: Int
  let weightBytes: Int
  let threads: Int
  /// Seconds of the median pass over one example.
  let latencyS: Double
  /// Examples a second in the median pass over 32.
  let examplesPerS: Double

  private static let manyAtOnce = 32

  /// Measures the model of a run's best checkpoint with random tokens.
  ///
  /// - Parameter steps: passes that are timed, after two that are not.
  /// - Throws: `UserError` for a run that cannot be read.
  init(_ run: String, steps: Int) throws {
    let saved = try SavedModel(run, choice: .best, dataFolder: dataFolder(nil, ofRun: run))
    let model = saved.model
    self.run = run
    processor = RunEnvironment.cpuModel
    self.model = model.configuration.name
    length = model.configuration.length
    precision = model.precision.rawValue
    kernel = ProductKernel.used(for: model.precision).rawValue
    params = model.parameters.count
    weightBytes = model.weightBytes
    threads = Workers.shared.count
    latencyS = Self.seconds(model, examples: 1, steps: steps)
    examplesPerS =
      Double(Self.manyAtOnce) / Self.seconds(model, examples: Self.manyAtOnce, steps: steps)
  }

  private static func seconds(_ model: Classifier, examples: Int, steps: Int) -> Double {
    let configuration = model.configuration
    var random = RandomStream(seed: 0, stream: 1)
    let sequences = examples * configuration.towers
    let input = PackedTokens(
      tokens: (0..<sequences * configuration.length).map { _ in
        Int32(1 + random.integer(below: max(configuration.vocabulary - 1, 1)))
      },
      offsets: (0...sequences).map { $0 * configuration.length }, capacity: configuration.length)
    for _ in 0..<2 { _ = model(input) }
    let times = (0..<steps).map { _ in
      let start = monotonicSeconds()
      _ = model(input)
      return monotonicSeconds() - start
    }.sorted()
    return (times[(steps - 1) / 2] + times[steps / 2]) / 2
  }

  static func table(_ runs: [RunSpeed]) -> String {
    formatTable(
      [["run", "model", "length", "weights", "bytes", "precision", "1 example", "32 at once"]]
        + runs.map { speed in
          [
            speed.run, speed.model, formatCount(speed.length), formatCount(speed.params),
            formatBytes(speed.weightBytes), speed.precision,
            formatNumber("%.2f ms", 1e3 * speed.latencyS),
            formatNumber("%.1f/s", speed.examplesPerS),
          ]
        }, leading: 2)
  }
}
