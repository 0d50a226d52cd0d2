// SPDX-License-Identifier: Apache-2.0

import Autodiff
import TestSupport

/// What a classifier sees of two rows.
extension OpCases {
  static let pairs: [OpCase] = [
    pairFeatures(1, 1), pairFeatures(1, 17), pairFeatures(15, 33), pairFeatures(33, 65),
    pairFeatures(2, 130),
  ]

  static func pairFeatures(_ pairs: Int, _ width: Int) -> OpCase {
    OpCase(
      "pair features of \(pairs) pairs of \(width)", profiled: "pair features",
      [.init(2 * pairs, width)]
    ) { x in
      Autodiff.pairFeatures(x[0])
    } oracle: { x in
      Oracle.pairFeatures(x[0])
    }
  }
}
