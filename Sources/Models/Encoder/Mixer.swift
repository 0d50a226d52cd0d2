// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// What tells one variant from another: how the tokens of a sequence exchange information.
///
/// A mixer is one residual branch. It gets the rows before normalisation and returns
/// `residual + drop(mix(LayerNorm(residual)))`, [N, E] to [N, E]. Sequences are packed
/// (``ForwardContext/sequences``), so there is no mask: padding does not exist.
package protocol Mixer {
  /// The variant's own settings, with its paper's defaults.
  associatedtype Options: VariantOptions

  /// What users see of the variant.
  static var about: VariantDescription { get }

  /// Makes the weights of one layer.
  init(_ size: MixerSize, _ options: Options, _ scope: ParameterScope)

  /// residual + branch.
  func callAsFunction(_ x: BranchInput, _ context: ForwardContext) -> Tensor

  /// The rows that the last block returned, as the classifier takes them: the same, unless layers carry
  /// a second residual stream.
  static func finish(_ rows: Tensor, _ context: ForwardContext) -> Tensor

  /// Makes the second half of a block; ``FeedForward`` unless the variant's paper changes it.
  static func feedForward(
    _ size: MixerSize, _ options: Options, _ scope: ParameterScope
  ) -> any PositionwiseLayer
}

extension Mixer {
  /// The rows themselves.
  package static func finish(_ rows: Tensor, _ context: ForwardContext) -> Tensor { rows }

  /// The feed-forward network of Vaswani et al.
  package static func feedForward(
    _ size: MixerSize, _ options: Options, _ scope: ParameterScope
  ) -> any PositionwiseLayer { FeedForward(size, scope) }
}

/// A residual branch that treats every row alike.
package protocol PositionwiseLayer {
  /// x + drop(f(LayerNorm(x))), [N, E] to [N, E].
  func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor
}
