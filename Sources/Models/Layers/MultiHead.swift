// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// Query, key, value and output projections around the attention of a variant; without biases, as in
/// the LRA code, unless the variant's own code has them.
///
/// Projections that are tied are one map.
struct MultiHead {
  let query: WeightMap
  let key: WeightMap
  let value: WeightMap
  private let output: OutputProjection
  /// Of query, key and value; empty without biases.
  private let inputBiases: [Parameter]
  private let size: MixerSize
  private let attentionDropout: DropoutLayer

  init(_ size: MixerSize, _ scope: ParameterScope, bias: Bool = false) {
    let (inside, outside) = (size.attentionWidth, size.width)
    query = WeightMap(outside, inside, scope.scope("query"), .xavierUniform)
    key =
      size.tieQueryKey ? query : WeightMap(outside, inside, scope.scope("key"), .xavierUniform)
    value =
      size.tieKeyValue ? key : WeightMap(outside, inside, scope.scope("value"), .xavierUniform)
    var output = OutputProjection(size, scope)
    inputBiases = bias ? Self.biases(size, scope) : []
    if bias { output.bias = scope.weight("output.bias", [outside], .zeros) }
    self.output = output
    self.size = size
    attentionDropout = DropoutLayer(size.attentionDropout, at: scope.place + ".weights")
  }

  private static func biases(_ size: MixerSize, _ scope: ParameterScope) -> [Parameter] {
    let make = { (name: String) in
      scope.weight("\(name).bias", [size.attentionWidth], .zeros)
    }
    let query = make("query")
    let key = size.tieQueryKey ? query : make("key")
    return [query, key, size.tieKeyValue ? key : make("value")]
  }

  /// The maps to Q, K and V.
  var inputs: WeightMaps { WeightMaps([query, key, value]) }

  /// Q, K and V from one product: [N, 3·H·D].
  func queryKeyValue(_ x: BranchInput) -> (query: HeadsView, key: HeadsView, value: HeadsView) {
    let bias = inputBiases.isEmpty ? nil : stacked(inputBiases.map(\.tensor))
    let all = inputs(x, bias: bias)
    return (heads(all, 0), heads(all, 1), heads(all, 2))
  }

  /// The `index`-th block of H·D columns.
  func heads(_ tensor: Tensor, _ index: Int) -> HeadsView { size.view(tensor, index) }

  /// The dropout of attention weights.
  func weightDropout(_ context: ForwardContext) -> Dropout { attentionDropout(context) }

  /// residual + drop(heads·Wₒᵀ + bₒ).
  func finish(_ x: BranchInput, _ mixed: Tensor, _ context: ForwardContext) -> Tensor {
    output(x.residual, adding: mixed, context)
  }
}
