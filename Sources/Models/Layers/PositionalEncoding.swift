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
