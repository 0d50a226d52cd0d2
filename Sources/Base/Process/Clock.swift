// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Seconds of a clock that never goes back.
package func monotonicSeconds() -> Double {
  Double(DispatchTime.now().uptimeNanoseconds) / 1e9
}
