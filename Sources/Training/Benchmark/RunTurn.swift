// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Machine

/// What a run's model did in one turn of a measurement beside other processes, a line of
/// `lra bench RUN --turns`.
package struct RunTurn: Codable, Sendable {
  /// The processor and the threads.
  package var processor = RunEnvironment.cpuModel
  package var threads = Workers.shared.count
  /// Seconds of each answer to one example.
  package var latencyS: [Double] = []
  /// Seconds of each answer to 32 at once.
  package var manyS: [Double] = []
  /// Seconds of each training step.
  package var stepS: [Double] = []
  /// The most main memory that the process has held, bytes.
  package var peakResidentBytes = 0
  /// Joules of an answer, 32 at once, or of a training step; nil where the machine does not tell.
  package var energyJ: Double?
  /// Floating-point operations of an answer.
  package var flops = 0
  /// Weights, and those that are not zero.
  package var weights = 0
  package var nonzero = 0

  /// Nothing yet.
  package init() {}
}

extension RunTurn: CheckedValue {
  package func check() throws(FieldFault) {
    try FieldRange.positiveCount.check(["threads": threads])
    try FieldRange.count.check([
      "peak_resident_bytes": peakResidentBytes, "weights": weights, "nonzero": nonzero,
    ])
    try FieldRange(0...1e18).check(["flops": flops])
    try FieldRange.amount.check(["energy_j": energyJ])
    for seconds in latencyS + manyS + stepS {
      try FieldRange.positiveAmount.check(["seconds": seconds])
    }
  }
}
