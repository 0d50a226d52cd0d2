// SPDX-License-Identifier: Apache-2.0

/// y = x + f(u), undone in the backward pass: x = y - f(u).
///
/// Neither x nor what f saves is kept for the backward pass, which runs f once more.
///
/// - Parameters:
///   - x: [N, E].
///   - u: [N, E]. Its values must be there in the backward pass: either nobody overwrites them, or
///     only later reversible sums do, which by then are undone.
///   - overwriting: whether y takes over the buffer of x, which nobody else may read afterwards; the
///     backward pass puts x back.
///   - others: results of operations that the layer uses beside u; its parameters need not be listed.
///   - layer: u + f(u), a residual layer. It is called again in the backward pass and must then
///     compute the same.
/// - Returns: [N, E].
/// - Complexity: f forward twice, and backward once; memory: the buffer of y, unless it is that of x.
///
/// Saves: nothing but u.
///
/// Source: Gomez et al., "The Reversible Residual Network" (2017), arXiv 1707.04585, section 3.
package func reversibleSum(
  _ x: Tensor, _ u: Tensor, overwriting: Bool, others: [Tensor] = [],
  layer: @escaping (Tensor) -> Tensor
) -> Tensor {
  precondition(x.shape == u.shape, "reversibleSum: \(x.shape) and \(u.shape)")
  let y = Tensor(
    shape: x.shape, storage: overwriting ? x.storage : Storage(count: x.storage.count))
  addBranch(layer(u.detached), minus: u, to: x.storage, into: y.storage)
  let outer = others.compactMap(\.node)
  return y.recorded("reversible sum", from: [x, u] + others) { dy in
    let input = u.detached.tracked
    let output = layer(input)
    if overwriting {
      addBranch(output, minus: u, to: x.storage, into: x.storage, factor: -1)
    }
    let seed = Storage(count: output.storage.count)
    seed.pointer.update(from: dy.pointer, count: x.count)
    output.backward(from: seed, upTo: outer)
    if let target = u.node?.target() { addDifference(input, dy, x.count, into: target) }
    x.node?.accept(dy, count: x.count)
  }
}

/// result = x + factor·(z - u).
private func addBranch(
  _ z: Tensor, minus u: Tensor, to x: Storage, into result: Storage, factor: Float = 1
) {
  Profiler.shared.measure("reversible sum", flops: 3 * u.count, bytes: 16 * u.count) {
    parallel(u.count, by: 1 << 15) { range, _ in
      let (from, to, with, without) = (x.pointer, result.pointer, z.pointer, u.pointer)
      for i in range { to[i] = from[i] + factor * (with[i] - without[i]) }
    }
  }
}

/// The gradient of f(u) is that of u + f(u) less dy.
private func addDifference(
  _ input: Tensor, _ dy: Storage, _ count: Int, into target: GradientTarget
) {
  guard let gradient = input.gradient else { return }
  Profiler.shared.measure("reversible sum backward", flops: count, bytes: 12 * count) {
    parallel(count, by: 1 << 15) { range, _ in
      let (all, own) = (gradient.pointer, dy.pointer)
      for i in range { target.store(all[i] - own[i], at: i) }
    }
  }
}
