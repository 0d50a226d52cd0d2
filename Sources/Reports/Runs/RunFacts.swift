// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine
import Runs

/// What is told of a single run, as pairs of a name and a value.
enum RunFacts {
  static func title(_ run: RunRecord) -> String {
    let outcome =
      run.result?.test.formattedAccuracy ?? run.status?.rawValue ?? "no result"
    return "\(run.name): \(outcome)"
  }

  static func result(_ run: RunRecord) -> [(String, String)] {
    guard let result = run.result else { return [("status", run.status?.rawValue ?? "unknown")] }
    let accuracy = { (evaluation: Evaluation) in
      evaluation.formattedAccuracy + ", loss " + formatNumber("%.4f", evaluation.loss) + " nats"
    }
    let validations = [
      ("val, best checkpoint", result.validationBest),
      ("val, last checkpoint", result.validationLast ?? result.validation),
    ].compactMap { name, evaluation in evaluation.map { (name, accuracy($0)) } }
    return validations + [
      ("test, best checkpoint", accuracy(result.testBest)),
      ("test, last checkpoint", accuracy(result.testLast)),
      ("chance", formatPercent(result.majorityShare) + (result.remark.map { "; \($0)" } ?? "")),
      (
        "steps",
        "\(formatCount(result.steps)) of \(formatCount(result.plannedSteps)) (\(result.ended))"
      ),
      (
        "training",
        "\(formatDuration(seconds: result.trainingSeconds)), "
          + String(format: "%.2f steps/s on ", result.stepsPerSecond)
          + counted(result.threads, "thread")
      ),
      ("peak memory", formatBytes(result.peakResidentBytes)),
    ] + (result.energy.map { [("energy of training", $0.text)] } ?? []) + [
      ("weights", formatCount(result.parameters)), ("data", result.dataSource),
      ("data hash", result.dataHash),
    ] + run.deviations.map { ("changed", $0) }
  }

  static func environment(_ run: RunRecord) -> [(String, String)] {
    guard let machine = run.environment else { return [("environment", "not recorded")] }
    return [
      ("processor", "\(machine.cpu), \(machine.cores) cores"),
      ("memory", formatBytes(machine.memoryBytes)), ("Swift", machine.swift),
      ("started", machine.started), ("commit", machine.commit ?? "unknown"),
      ("command", machine.command.dropFirst().joined(separator: " ")),
    ]
  }

  /// Changed values first.
  static func settings(_ run: RunRecord) -> [(String, String)] {
    let changed = Set(run.changedKeys)
    let all = run.settings.entries.map { ($0.key, $0.value.description) }
    return all.filter { changed.contains($0.0) }.map { ($0.0 + " (changed)", $0.1) }
      + all.filter { !changed.contains($0.0) }
  }
}
