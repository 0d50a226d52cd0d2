// SPDX-License-Identifier: Apache-2.0

/// y = f(x), of which nothing but x is kept: the backward pass computes f once more.
///
/// - Parameters:
///   - inputs: x, all results of operations that f reads; its parameters need not be listed.
///   - layer: f. It is called again in the backward pass, `again` being true, and must then compute the
///     same.
/// - Returns: what f returns.
/// - Complexity: f forward twice, and backward once. Memory: while the backward pass is there, what f
///   saves.
///
/// Saves: x.
///
/// Source: Chen et al., "Training Deep Nets with Sublinear Memory Cost" (2016), arXiv 1604.06174.
package func recomputed(
  _ inputs: [Tensor], layer: @escaping (_ inputs: [Tensor], _ again: Bool) -> [Tensor]
) -> [Tensor] {
  if inputs.allSatisfy({ $0.node == nil }) { return layer(inputs, false) }
  let results = layer(inputs.map(\.detached), false).map(\.detached)
  return Tensor.recorded("recomputed", results, from: inputs) { gradients in
    let leaves = inputs.map { $0.node == nil ? $0 : $0.detached.tracked }
    Tensor.backward(layer(leaves, true), from: gradients)
    for (input, leaf) in zip(inputs, leaves) {
      guard let node = leaf.node, node.hasGradient, let gradient = node.gradient else { continue }
      input.node?.accept(gradient, count: input.count)
    }
  }
}
