// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// What makes logits of hidden rows: pooling, and one or two linear maps.
///
/// ```
/// logits = W₂·relu(W₁·pool(x) + b₁) + b₂      without a hidden layer W₂·pool(x) + b₂
/// ```
/// Of two sequences that are compared, the maps take [a, b, a ⊙ b, a − b] of their pooled rows.
struct ClassifierHead {
  private let pooling: Pooling
  private let comparesPairs: Bool
  private let hidden: Linear?
  private let output: Linear

  init(_ configuration: ModelConfiguration, _ scope: ParameterScope) {
    pooling = configuration.pooling
    comparesPairs = configuration.towers == 2
    let inner = configuration.headHidden == 0 ? configuration.feedForward : configuration.headHidden
    let features = configuration.featureWidth
    hidden = inner == 0 ? nil : Linear(features, inner, scope.scope("hidden"), .lecunNormal)
    output = Linear(
      inner == 0 ? features : inner, configuration.classes, scope.scope("output"), .lecunNormal)
  }

  /// - Parameter rows: of all tokens, [N, E].
  /// - Returns: [B, C].
  func callAsFunction(_ rows: Tensor, _ sequences: PackedSequences) -> Tensor {
    let pooled =
      pooling == .cls
      ? firstPool(rows, sequences: sequences) : meanPool(rows, sequences: sequences)
    let features = comparesPairs ? pairFeatures(pooled) : pooled
    return output(hidden.map { $0(features, activation: .relu) } ?? features)
  }
}

/// A classifier behind a block that is not the last: head(pool(norm(h))).
struct EarlyExit {
  /// Nil where blocks end with their norm.
  private let norm: BlockNorm?
  private let head: ClassifierHead

  init(_ configuration: ModelConfiguration, _ scope: ParameterScope) {
    let kind = configuration.normalization
    norm =
      kind == .batchAfter ? nil : BlockNorm(kind, configuration.width, scope.scope("norm"))
    head = ClassifierHead(configuration, scope.scope("head"))
  }

  /// - Parameter h: the residual stream behind the block, [N, E].
  /// - Returns: [B, C].
  func callAsFunction(_ h: Tensor, _ context: ForwardContext) -> Tensor {
    head(norm.map { $0.before(h, context).normalized } ?? h, context.sequences)
  }
}
