// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// Dropout at one place in the model, as a layer: its rate and the name that seeds it.
struct DropoutLayer {
  private let rate: Double
  private let site: UInt64

  /// - Parameters:
  ///   - rate: the probability of dropping, 0 ..< 1.
  ///   - path: names the place.
  init(_ rate: Double, at path: String) {
    self.rate = rate
    site = dropoutSite(path)
  }

  /// The dropout of packed rows in this pass.
  func callAsFunction(_ context: ForwardContext) -> Dropout { context.dropout(rate, site: site) }

  /// The dropout of rows that are not tokens, of which every sequence has as many.
  func callAsFunction(_ context: ForwardContext, rowsPerSequence: Int) -> Dropout {
    context.dropout(rate, site: site, rowsPerSequence: rowsPerSequence)
  }
}
