// SPDX-License-Identifier: Apache-2.0

import Base
import Collective
import Foundation

/// How long ranks take to add up what each has, as after every training step.
package struct ExchangeMeasurement: Encodable {
  /// A sum of so many bytes.
  package struct Sum: Encodable {
    /// Of the floats that each rank has.
    package let bytes: Int
    /// From the begin until the leader has the total and the others were sent it; the median.
    package let seconds: Double
  }

  /// The number of ranks, a power of two.
  package let ranks: Int
  /// The number of hosts that they run on.
  package let hosts: Int
  /// The smallest sum, which shows the latency, and those of small and large models.
  package let sums: [Sum]

  /// The gradients of one float, of 256 thousand, a million and four million.
  private static let sizes = [4, 1 << 20, 4 << 20, 16 << 20]
  private static let repetitions = 21

  /// Measures; all ranks must ask, and the leader's answer counts.
  package init(_ group: any Collective) {
    ranks = group.size
    hosts = Set(group.gather(Array(ProcessInfo.processInfo.hostName.utf8))).count
    sums = Self.sizes.map { Sum(bytes: $0, seconds: Self.seconds($0, group)) }
  }

  private static func seconds(_ bytes: Int, _ group: any Collective) -> Double {
    var values = [Float](repeating: 1, count: bytes / MemoryLayout<Float>.stride)
    return values.withUnsafeMutableBufferPointer { values in
      let times = (0...repetitions).map { _ in
        // All begin together: the leader's word reaches the others first.
        _ = group.broadcast([0])
        let start = monotonicSeconds()
        group.sum(values)
        return monotonicSeconds() - start
      }
      // The first one pays for connections and new pages.
      return times.dropFirst().sorted()[repetitions / 2]
    }
  }
}
