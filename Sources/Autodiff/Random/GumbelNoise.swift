// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Random numbers with the Gumbel distribution: a function of a key and a place, so that nothing is
/// stored and the parts of a batch see what the whole batch would.
///
/// ```
/// g = -log(-log(u))      u uniform in 0 ... 1
/// ```
package struct GumbelNoise: Sendable {
  private let key: UInt64
  private let firstSequence: Int

  /// - Parameters:
  ///   - key: chooses the numbers.
  ///   - firstSequence: added to the number of a sequence.
  package init(key: UInt64, firstSequence: Int = 0) {
    self.key = key
    self.firstSequence = firstSequence
  }

  /// The number of one place in the matrix of one sequence and head.
  package func value(sequence: Int, head: Int, row: Int, column: Int) -> Float {
    var bits = mixed(key &+ UInt64(truncatingIfNeeded: sequence &+ firstSequence))
    bits = mixed(bits &+ UInt64(truncatingIfNeeded: head))
    bits = mixed(
      bits &+ (UInt64(truncatingIfNeeded: row) << 32 | UInt64(truncatingIfNeeded: column)))
    return Self.value(of: bits)
  }

  /// The number that 64 uniform bits stand for, from -3.6 to 36.7.
  ///
  /// The largest u has no half to be rounded to, and would be 1.
  package static func value(of bits: UInt64) -> Float {
    let uniform = min((Double(bits >> 11) + 0.5) * 0x1p-53, 1 - 0x1p-53)
    return Float(-Foundation.log(-Foundation.log(uniform)))
  }

  /// One step of SplitMix64 (Steele, Lea and Flood, 2014).
  private func mixed(_ value: UInt64) -> UInt64 {
    var x = value &+ 0x9E37_79B9_7F4A_7C15
    x = (x ^ (x >> 30)) &* 0xBF58_476D_1CE4_E5B9
    x = (x ^ (x >> 27)) &* 0x94D0_49BB_1331_11EB
    return x ^ (x >> 31)
  }
}
