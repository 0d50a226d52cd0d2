// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

/// What a token number becomes.
package enum TokenInput: String, SettingChoice {
  /// A trained row for each number.
  case tokens
  /// A linear map of the number itself, for what is a quantity, such as the brightness of a pixel.
  case numbers
}

/// The rows T[token] that a model begins with.
///
/// ```
/// T[t] = w·(2·(t - 1)/(V - 2) - 1) + b        for numbers: from -1 for token 1 to 1 for token V - 1
/// ```
/// Source of the linear map: Gu et al., state-spaces/s4, for images.
/// Differs: there grey values have mean 0 and deviation 1, or lie between -1 and 1.
enum TokenEmbedding {
  case tokens(Parameter)
  case numbers(Tensor, Linear)

  init(_ configuration: ModelConfiguration, _ root: ParameterScope) {
    let (count, width) = (configuration.vocabulary, configuration.width)
    switch configuration.input {
    case .tokens:
      self = .tokens(
        root.weight(
          "embedding.token", [count, width], .normal(configuration.embeddingDeviation)))
    case .numbers:
      let values = (0..<count).map { Float(2 * ($0 - 1)) / Float(max(1, count - 2)) - 1 }
      self = .numbers(
        Tensor(shape: [count, 1], values),
        Linear(1, width, root.scope("embedding.number"), .lecunNormal))
    }
  }

  /// T, [V, E].
  var table: Tensor {
    switch self {
    case .tokens(let rows): rows.tensor
    case .numbers(let values, let map): map(values)
    }
  }
}
