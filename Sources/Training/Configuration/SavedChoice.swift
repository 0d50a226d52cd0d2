// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

/// What `train.saved` may be.
package enum SavedChoice: String, SettingChoice {
  case fp32
  case bf16

  /// The precision of what is kept for the backward pass.
  package var precision: Precision { self == .bf16 ? .bf16 : .fp32 }
}
