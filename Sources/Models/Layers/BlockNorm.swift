// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

/// How rows are normalised, and where.
package enum Normalization: String, SettingChoice {
  /// Every row by itself, before it is mixed.
  case layer
  /// Every column over all rows of the batch, before they are mixed; evaluation uses running means.
  case batch
  /// As `batch`, but the sum of residual and branch: h = BatchNorm(h + Mix(h)), nothing at the end.
  case batchAfter = "batch-after"
}

/// The normalisation of a block, before or after its mixer.
enum BlockNorm {
  case layer(LayerNorm)
  case batch(BatchNorm)
  case batchAfter(BatchNorm)

  init(_ kind: Normalization, _ width: Int, _ scope: ParameterScope) {
    switch kind {
    case .layer: self = .layer(LayerNorm(width, scope))
    case .batch: self = .batch(BatchNorm(width, scope))
    case .batchAfter: self = .batchAfter(BatchNorm(width, scope))
    }
  }

  /// The rows as a mixer takes them.
  func before(_ x: Tensor, _ context: ForwardContext) -> BranchInput {
    let source: BranchInput.Source =
      switch self {
      case .layer(let layer): .byRow(layer.norm)
      case .batch(let batch): .done(batch(x, context))
      case .batchAfter: .done(x)
      }
    return BranchInput(residual: x, source, context.mapPrecision, observer: context.observer)
  }

  /// What a mixer returned, as the next block takes it.
  func after(_ y: Tensor, _ context: ForwardContext) -> Tensor {
    if case .batchAfter(let batch) = self { batch(y, context) } else { y }
  }
}
