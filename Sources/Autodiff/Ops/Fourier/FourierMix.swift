// SPDX-License-Identifier: Apache-2.0

/// y = Re(F_L·x·F_E): the real part of the two-dimensional Fourier transform of every sequence, which
/// is followed by zeros up to the length L of the plan.
///
/// ```
/// y[l, k] = Σ_n Σ_j x[n, j]·cos(2π(ln/L + kj/E))
/// ```
/// L is a constant of the model, not the longest sequence of the batch: so the result for a sequence
/// depends on itself alone. Only its own rows of the result are computed.
///
/// - Parameters:
///   - x: [N, E].
///   - plan: L and E.
///   - sequences: the sequences, at most L long.
/// - Returns: [N, E].
/// - Complexity: N·E² operations for the rows, as a matrix product, and B·E·O(L log L) for the
///   columns; see ``MixedRadix`` for lengths with large prime factors. The matrix of the map is
///   symmetric, so the backward pass is the forward pass on dy. Memory: the result; a core needs
///   L·(E + 32) floats.
///
/// Saves: nothing.
///
/// Source: Lee-Thorp et al., "FNet: Mixing Tokens with Fourier Transforms" (2021),
/// arXiv 2105.03824, equation 3.
package func fourierMix(_ x: Tensor, plan: FourierPlan, sequences: PackedSequences) -> Tensor {
  let kernel = FourierKernel("fourierMix", x, plan, sequences)
  let y = Tensor(shape: x.shape, storage: Storage(count: x.storage.count))
  kernel.measure("Fourier mix", passes: 2) { mix(kernel, x.pointer, into: y.pointer) }
  let (source, elements, count) = (x.node, x.storage.count, x.count)
  return y.recorded("Fourier mix", from: x) { dy in
    let dx = Storage(count: elements)
    kernel.measure("Fourier mix backward", passes: 2) { mix(kernel, dy.pointer, into: dx.pointer) }
    source?.accept(dx, count: count)
  }
}

private func mix(
  _ kernel: FourierKernel, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>
) {
  let width = kernel.plan.width
  kernel.forEachSequence { _, rows, workspace in
    let first = rows.lowerBound * width
    kernel.transform(rows.count, into: y + first, workspace) { row, count in
      let from = x + first + row * width
      return (from, PrefetchCursor(from + count * width, count: count * width))
    }
  }
}
