// SPDX-License-Identifier: Apache-2.0

import Autodiff

extension ForwardContext {
  /// A residual layer as one half of a reversible block.
  ///
  /// ```
  /// (a, b) → (b + f(a), a)        from a = b = h at the beginning
  /// ```
  /// With attention and feed-forward network in turns: y₁ = x₁ + Attention(x₂), y₂ = x₂ + FF(y₁). The
  /// activations of the layers are computed again in the backward pass, from the last ones; memory
  /// does not grow with the number of layers.
  ///
  /// - Parameters:
  ///   - a: the rows, as the layer before returned them.
  ///   - layer: a + f(a).
  func reversible(_ a: Tensor, _ layer: @escaping (Tensor) -> Tensor) -> Tensor {
    let b = carried[SecondStream.self]
    carried[SecondStream.self] = a
    return reversibleSum(b ?? a, a, overwriting: b != nil, layer: layer)
  }

  /// a + b after the last layer; a where no layer was reversible.
  func joiningStreams(_ a: Tensor) -> Tensor {
    guard let b = carried[SecondStream.self] else { return a }
    return residualSum(a, adding: b)
  }

  /// The half of the rows that the next layer does not change.
  private enum SecondStream: CarriedKey {}
}

/// ``FeedForward`` in a reversible block.
struct ReversibleFeedForward: PositionwiseLayer {
  private let layer: FeedForward

  init(_ size: MixerSize, _ scope: ParameterScope) { layer = FeedForward(size, scope) }

  func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor {
    context.reversible(x) { layer($0, context) }
  }
}
