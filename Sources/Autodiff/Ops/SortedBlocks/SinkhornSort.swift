// SPDX-License-Identifier: Apache-2.0

/// Turns the scores between the blocks of a sequence into a nearly doubly stochastic matrix.
///
/// ```
/// S = (R + G)/τ;  repeat: S ← S - log Σⱼ exp S (rows), S ← S - log Σᵢ exp S (columns);  P = exp S
/// ```
/// for each sequence and head, in the logarithm throughout. With n blocks R is n × n: of the C
/// columns that a head has, the first n.
///
/// - Parameters:
///   - scores: R, one row for each block, [blocks, H·C].
///   - sequences: the blocks of each sequence, C at most.
///   - heads: H.
///   - iterations: T; columns sum to 1 exactly, rows the better the more iterations there are.
///   - temperature: τ, positive; the lower, the nearer P is to a permutation.
///   - noise: G, which makes P a random permutation's relaxation; zeros if nil.
/// - Returns: P, [blocks, H·C]; zero in the columns beyond n.
/// - Complexity: O(T·n²) exponentials for each sequence and head; memory: the result, and 2·T·n
///   logarithms in double precision.
///
/// Saves: R, P and the logarithms of all sums. The gradient goes back through every iteration.
///
/// Source: Tay et al., "Sparse Sinkhorn Attention" (2020), arXiv 2002.11296, section 3; Mena et
/// al., "Learning Latent Permutations with Gumbel-Sinkhorn Networks" (2018), arXiv 1802.08665.
/// Differs: the LRA code normalises rows only, once.
package func sinkhornSort(
  _ scores: Tensor, sequences: PackedSequences, heads: Int, iterations: Int, temperature: Float,
  noise: GumbelNoise? = nil
) -> Tensor {
  let kernel = SinkhornKernel(scores, sequences, heads, iterations, temperature, noise)
  let y = Tensor(shape: scores.shape, storage: Storage(count: scores.storage.count))
  let logSums = Storage(doubles: kernel.logSumCount)
  kernel.measure("sinkhorn sort", passes: 2 * iterations + 1) {
    kernel.forward(into: y.storage, logSums)
  }
  let result = y.storage
  return y.recorded("sinkhorn sort", from: scores) { dy in
    kernel.measure("sinkhorn sort backward", passes: 4 * iterations + 1) {
      kernel.backward(dy, result, logSums)
    }
  }
}
