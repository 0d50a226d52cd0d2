// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine
import Runs
import Tasks
import Training

extension LadderRow {
  /// Takes what the row's models reached, a run for each seed.
  package mutating func take(models runs: [RunRecord]) {
    let results = runs.compactMap(\.result)
    models = results.count
    guard let first = results.first else { return }
    let accuracies = results.map(\.test.accuracy)
    let testError = mean(results.map(\.test.error))
    let seeds = sampleDeviation(accuracies).map { $0 * $0 / Double(models) } ?? 0
    accuracy = mean(accuracies)
    error = (testError * testError + seeds).squareRoot()
    let validations = runs.compactMap(\.validationAccuracy)
    validation = validations.isEmpty ? nil : mean(validations)
    weights = first.parameters
    bytes = runs.first?.folder.flatMap(Self.fileSize)
  }

  private static func fileSize(_ folder: String) -> Int? {
    let file = URL(fileURLWithPath: "\(folder)/model.safetensors").resolvingSymlinksInPath()
    let size = try? FileManager.default.attributesOfItem(atPath: file.path)[.size]
    return (size as? NSNumber)?.intValue
  }

  /// Takes how the model of the first seed answers.
  ///
  /// - Parameters:
  ///   - baseline: its answers; a model of energy goes by their seconds and the row's gain, since machines
  ///     change their speed between measurements.
  ///   - power: what the machine is thought to draw where there are no counters.
  package mutating func take(
    answers measured: LadderMeasurement, beside baseline: LadderMeasurement?, power: PowerModel?
  ) {
    latency = measured.time(\.latencyS)
    throughput = measured.time(\.manyS).map {
      Time(seconds: $0.seconds / Self.manyAtOnce, gain: $0.gain)
    }
    let single = measured.own.flatMap(\.latencyS)
    latency95 = single.isEmpty ? nil : quantile(0.95, of: single)
    answeringBytes = measured.own.map(\.peakResidentBytes).max()
    answerEnergy = throughput.map { time in
      let usual = baseline?.time(\.manyS).map { $0.seconds / Self.manyAtOnce / time.gain }
      return EnergyEstimate(
        seconds: usual ?? time.seconds, counted: measured.joules, power: power)
    }
    flops = measured.own.last?.flops
    nonzero = measured.own.last?.nonzero
  }

  /// Examples that are answered at once, for the throughput.
  private static let manyAtOnce = 32.0

  /// A run that a row needs, and its training steps measured in turns with the baseline's.
  package struct TrainedRun {
    let result: RunResult
    let measured: LadderMeasurement?

    /// - Parameter measured: nil for a run of no steps.
    package init(result: RunResult, measured: LadderMeasurement?) {
      self.result = result
      self.measured = measured
    }
  }

  /// Takes what the training of the first seed's runs took.
  ///
  ///     seconds = Σ stepsᵢ · step secondsᵢ        gain = baseline's steps / Σ (stepsᵢ / gainᵢ)
  ///
  /// - Parameters:
  ///   - baselineSteps: of the baseline's run.
  ///   - baseline: its training steps, as for answers.
  ///   - power: what the machine is thought to draw where there are no counters.
  package mutating func take(
    training runs: [TrainedRun], baselineSteps: Int, beside baseline: LadderMeasurement?,
    power: PowerModel?
  ) {
    steps = runs.reduce(0) { $0 + $1.result.steps }
    trainingSeconds = runs.reduce(0) { $0 + $1.result.trainingSeconds }
    let trained = runs.filter { $0.result.steps > 0 }
    let times = trained.compactMap { run in
      run.measured?.time(\.stepS).map { (steps: Double(run.result.steps), time: $0) }
    }
    guard times.count == trained.count, !times.isEmpty, baselineSteps > 0 else { return }
    training = Time(
      seconds: times.reduce(0) { $0 + $1.steps * $1.time.seconds },
      gain: Double(baselineSteps) / times.reduce(0) { $0 + $1.steps / $1.time.gain })
    let usual = baseline?.time(\.stepS)?.seconds
    trainingEnergy = EnergyEstimate.total(
      trained.compactMap { run in
        guard let measured = run.measured, let time = measured.time(\.stepS) else { return nil }
        let steps = Double(run.result.steps)
        return EnergyEstimate(
          seconds: steps * (usual.map { $0 / time.gain } ?? time.seconds),
          counted: measured.joules.map { $0 * steps }, power: power)
      })
    trainingBytes = trained.compactMap(\.measured).flatMap { $0.own.map(\.peakResidentBytes) }.max()
  }
}
