// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// A linear map of a block: y = W·x + b with a dense W, or with W = V·U where its rank is chosen.
struct WeightMap {
  /// Names it in `model.ranks` and to a ``BranchObserver``.
  let path: String
  /// W, [outputs, inputs], or U, [r, inputs].
  let front: Parameter
  /// V, [outputs, r]; nil where W is dense.
  let expand: Parameter?
  /// b, [outputs].
  let bias: Parameter?

  /// - Parameter initializer: of a dense W.
  init(
    _ inputs: Int, _ outputs: Int, _ scope: ParameterScope, _ initializer: Initializer,
    bias: Bool = false
  ) {
    path = scope.path
    let narrow = scope.ranks.rank(path)
    if let narrow {
      let map = LowRankMap(inputs, outputs, rank: narrow, scope.ranks.start, scope)
      (front, expand) = (map.reduce, map.expand)
    } else {
      front = scope.weight("weight", [outputs, inputs], initializer)
      expand = nil
    }
    self.bias = bias ? scope.weight("bias", [outputs], .zeros) : nil
    scope.arena.note(MapShape(path: path, outputs: outputs, inputs: inputs, rank: narrow))
  }

  /// f(W·x + b), [N, outputs].
  func callAsFunction(
    _ x: Tensor, activation: Activation = .identity, _ context: ForwardContext
  ) -> Tensor {
    context.observer?.sees(x, of: [path])
    let inner = expand == nil ? x : linear(x, weight: front.tensor, precision: context.mapPrecision)
    return linear(
      inner, weight: (expand ?? front).tensor, bias: bias?.tensor, activation: activation,
      precision: context.mapPrecision)
  }

  /// residual + drop(W·x + b), [N, outputs].
  ///
  /// - Parameter other: a bias that is not the map's own.
  func adding(
    to residual: Tensor, _ x: Tensor, bias other: Parameter? = nil, dropout: Dropout = .none,
    _ context: ForwardContext
  ) -> Tensor {
    context.observer?.sees(x, of: [path])
    let inner = expand == nil ? x : linear(x, weight: front.tensor, precision: context.mapPrecision)
    return residualLinear(
      residual, adding: inner, weight: (expand ?? front).tensor, bias: (bias ?? other)?.tensor,
      dropout: dropout, precision: context.mapPrecision)
  }
}

/// Linear maps without biases of the same rows, whose results lie side by side.
struct WeightMaps {
  private let all: [WeightMap]

  /// - Precondition: all have as many inputs.
  init(_ all: [WeightMap]) { self.all = all }

  /// What the rows go through first: W of a dense map, U of another, one below the other.
  var front: Tensor { all.count == 1 ? all[0].front.tensor : stacked(all.map(\.front.tensor)) }

  /// The maps of normalised rows, [N, Σ outputs].
  ///
  /// - Parameter bias: of all, [Σ outputs].
  func callAsFunction(_ x: BranchInput, bias: Tensor? = nil) -> Tensor {
    if x.observer != nil { show(x.normalized, to: x.observer) }
    guard isNarrow else { return x.project(front, bias: bias) }
    let result = expanded(x.project(front), x.precision)
    return bias.map { Autodiff.adding($0, toRowsOf: result) } ?? result
  }

  /// The maps of rows, [N, Σ outputs].
  func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor {
    show(x, to: context.observer)
    return expanded(
      linear(x, weight: front, precision: context.mapPrecision), context.mapPrecision)
  }

  /// Tells of the rows that all maps take.
  func show(_ rows: Tensor, to observer: (any BranchObserver)?) {
    observer?.sees(rows, of: Set(all.map(\.path)).sorted())
  }

  /// What ``front`` made of rows, [N, Σ outputs or r], through the maps that are left.
  func expanded(_ rows: Tensor, _ precision: Precision) -> Tensor {
    guard isNarrow else { return rows }
    let expands = all.compactMap { $0.expand?.tensor }
    let shapes = Set(expands.map(\.shape))
    if shapes.count == 1, expands.count == all.count, expands.count > 1 {
      return groupedLinear(
        rows, weight: stacked(expands), groups: all.count, precision: precision)
    }
    var column = 0
    let parts = all.map { map in
      let width = map.front.shape[0]
      let part = all.count == 1 ? rows : columnSlice(rows, column..<column + width)
      column += width
      return map.expand.map { linear(part, weight: $0.tensor, precision: precision) } ?? part
    }
    return parts.count == 1 ? parts[0] : joinedColumns(parts)
  }

  private var isNarrow: Bool { all.contains { $0.expand != nil } }
}
