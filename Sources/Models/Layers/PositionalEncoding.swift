// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation

/// How a model knows where a token stands.
package enum PositionalEncoding: String, SettingChoice {
  /// A trained row for each position.
  case learned
  /// Interleaved sines and cosines of falling frequency, not trained.
  case fixed
  /// Nothing is added: for models that read a sequence in its order.
  case none
}

/// Trained positions: a table P, [L, E], or the product of two narrow ones.
///
/// ```
/// P = A·Bᵀ      A: [L, r], B: [E, r]
/// ```
struct LearnedPositions {
  /// P, or A.
  private let rows: Parameter
  /// B.
  private let map: Parameter?

  /// - Parameter rank: r; 0 for one table.
  init(_ length: Int, _ width: Int, rank: Int, _ scope: ParameterScope) {
    guard rank > 0 else {
      rows = scope.weight("position", [length, width], .normal(0.02))
      map = nil
      return
    }
    rows = scope.weight("position.rows", [length, rank], .normal(0.02))
    map = scope.weight("position.map", [width, rank], .lecunNormal)
  }

  /// P, [L, E].
  var table: Tensor { map.map { linear(rows.tensor, weight: $0.tensor) } ?? rows.tensor }
}

/// The fixed code of Vaswani et al. (2017), section 3.5, interleaved as in the LRA code:
/// ```
/// P[p, 2i] = sin(p / 10000^(2i/E))    P[p, 2i + 1] = cos(p / 10000^(2i/E))
/// ```
func sinusoids(length: Int, width: Int) -> Tensor {
  var values = [Float](repeating: 0, count: length * width)
  for position in 0..<length {
    for column in 0..<width {
      let frequency = Foundation.pow(10_000, -Double(column / 2 * 2) / Double(width))
      let angle = Double(position) * frequency
      values[position * width + column] = Float(column % 2 == 0 ? sin(angle) : cos(angle))
    }
  }
  return Tensor(shape: [length, width], values)
}
