// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// The two limits of a machine: how fast it computes, and how fast it reads and writes main memory.
///
/// Source: Williams et al., "Roofline: An Insightful Visual Performance Model" (2009), Communications
/// of the ACM 52 (4).
package struct Roofline: Sendable, Equatable {
  /// Floating-point operations a nanosecond.
  package let gflopsPerS: Double
  /// Bytes a nanosecond.
  package let gigabytesPerS: Double

  /// Limits that are known.
  package init(gflopsPerS: Double, gigabytesPerS: Double) {
    self.gflopsPerS = gflopsPerS
    self.gigabytesPerS = gigabytesPerS
  }

  /// Measures both on as many threads, which takes about half a second.
  ///
  /// - Parameter precision: of the operands of products.
  package static func measured(threads: Int, _ precision: Precision = .fp32) -> Roofline {
    Roofline(
      gflopsPerS: measureProductPeak(precision, threads: threads),
      gigabytesPerS: measureMemoryBandwidth(threads: threads))
  }

  /// The seconds that this work takes at least where its operands come from main memory.
  package func seconds(flops: Int, bytes: Int) -> Double {
    max(Double(flops) / gflopsPerS, Double(bytes) / gigabytesPerS) / 1e9
  }
}
