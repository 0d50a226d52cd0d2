// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

/// What `train.precision` may be.
package enum PrecisionChoice: String, SettingChoice {
  case fp32
  case bf16
  /// bf16 where its products are at least 1.3 times as fast as those of fp32; measured as a run is
  /// configured, so that the run keeps what was chosen.
  case auto

  /// What bf16 has to gain for ``auto``.
  static let worthwhile = 1.3

  /// The precision of operands; nil before ``auto`` is resolved.
  package var precision: Precision? {
    switch self {
    case .fp32: .fp32
    case .bf16: .bf16
    case .auto: nil
    }
  }

  /// What ``auto`` is on this machine.
  static func measured() -> (choice: PrecisionChoice, reason: String) {
    guard ProductKernel.used(for: .bf16) == .bf16 else {
      return (.fp32, "auto: the processor has no instructions for bf16")
    }
    let seconds = 0.1
    let gain =
      measureProductPeak(.bf16, threads: 1, seconds: seconds)
      / measureProductPeak(.fp32, threads: 1, seconds: seconds)
    return (
      gain >= worthwhile ? .bf16 : .fp32,
      "auto: bf16's products are \(formatNumber("%.2f", gain)) times as fast as fp32's"
    )
  }
}
