// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// How far what the layers of a variant mix is from exact softmax attention of the same queries, keys
/// and values.
///
/// ```
/// error = ‖M - A‖ / ‖A‖      M: what the variant mixes, [N, H·D]      A = softmax(Q·Kᵀ/√D)·V
/// ```
/// The norms are Frobenius', over all rows of all passes. Where a variant's definition has another
/// scale, or leaves the token itself out, so has A. A variant that is no approximation of softmax
/// attention leaves the probe empty.
package final class AttentionProbe {
  /// Sums of squares of one layer.
  private struct Layer {
    var difference = 0.0
    var exact = 0.0
  }

  private let substitutes: Bool
  private var layers: [Layer] = []
  private var next = 0

  /// - Parameter substitutes: whether layers go on with A in place of M.
  package init(substitutes: Bool = false) { self.substitutes = substitutes }

  /// ‖M - A‖ / ‖A‖ of each layer.
  package var errors: [Double] {
    layers.map { $0.exact > 0 ? ($0.difference / $0.exact).squareRoot() : 0 }
  }

  /// The next comparison is that of the first layer.
  func beginPass() { next = 0 }

  /// - Returns: M, or A if it takes M's place.
  fileprivate func compare(_ mixed: Tensor, _ exact: Tensor) -> Tensor {
    if next == layers.count { layers.append(Layer()) }
    for (m, a) in zip(mixed.values, exact.values) {
      layers[next].difference += Double(m - a) * Double(m - a)
      layers[next].exact += Double(a) * Double(a)
    }
    next += 1
    return substitutes ? exact : mixed
  }
}

extension ForwardContext {
  /// What a variant mixed; under a probe it is compared with, or replaced by, exact attention.
  ///
  /// - Parameter exact: softmax attention of the variant's queries, keys and values.
  /// - Complexity: nothing without a probe; with one that of `exact`, O(L²) for each sequence.
  func probed(_ mixed: Tensor, exact: () -> Tensor) -> Tensor {
    probe?.compare(mixed, exact()) ?? mixed
  }

  /// The same, where the variant takes every token's query, key and value.
  func probed(
    _ mixed: Tensor, query: HeadsView, key: HeadsView, value: HeadsView
  ) -> Tensor {
    probed(mixed) {
      attention(
        query: query, key: key, value: value, queries: sequences, keys: sequences,
        precision: precision)
    }
  }
}
