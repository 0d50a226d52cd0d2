// SPDX-License-Identifier: Apache-2.0

/// The middle of Nyström attention: an approximate inverse of the softmax between landmarks,
/// applied to values.
///
/// ```
/// A = softmax(Q·Kᵀ/√D)      Z₀ = Aᵀ / (‖A‖₁·‖A‖∞)
/// Z ← ¼·Z·(13I - A·Z·(15I - A·Z·(7I - A·Z)))      `iterations` times
/// Y = Z·V
/// ```
/// per sequence and head. ‖A‖∞, the largest sum of a row, is 1 for every softmax; ‖A‖₁ is the
/// largest sum of a column. The gradient passes through all iterations and through ‖A‖₁.
///
/// - Parameters:
///   - query: Q, the landmarks of the queries.
///   - key: K, the landmarks of the keys, as many.
///   - value: V, one row for each landmark.
///   - landmarks: the landmarks of each sequence.
///   - iterations: of the inverse. Few of them are meant: the result is smoother than the inverse,
///     which may not exist.
/// - Returns: [number of landmarks, H·D].
/// - Complexity: with M landmarks, 5·M³ operations an iteration forward and 12·M³ backward for each
///   sequence and head, 8·M³ and 16·M³ from the fifth on, and 6·M²·D and 16·M²·D beside them. Memory: the result, and 3·M² floats an
///   iteration of each sequence and head where gradients are recorded.
///
/// Saves: Q, K, V, and of each iteration Z, what Z is multiplied with, and the matrix that this is a
/// polynomial of: computing the latter two again would cost 3·M³ operations more. A is computed again
/// in the backward pass.
///
/// Source: Xiong et al., "Nyströmformer: A Nyström-based Algorithm for Approximating
/// Self-Attention" (2021), arXiv 2102.03902, section 3; the iteration is that of Razavi et al.
/// (2014).
/// Differs: the authors' code takes the largest ‖A‖₁ of the whole batch by default, so that a
/// sequence's result depends on its batch mates. Like here, it differentiates through the maximum.
package func nystromInverse(
  query: HeadsView, key: HeadsView, value: HeadsView, landmarks: PackedSequences, iterations: Int
) -> Tensor {
  let kernel = NystromKernel(query, key, value, landmarks, iterations)
  let fullSteps = max(iterations - InverseStep.halvedSteps, 0)
  let columns = value.count * value.width
  let y = Tensor(
    shape: [landmarks.rows, columns],
    storage: Storage(count: landmarks.rowCapacity * columns))
  let records = [query, key, value].contains { $0.tensor.node != nil }
  let iterates = records ? Storage(count: kernel.iterateCount) : nil
  kernel.measure(
    "nystrom inverse", halfCubes: 5 * iterations - 2 + 3 * fullSteps, squares: 3, tensors: 4
  ) {
    kernel.forward(into: y, iterates)
  }
  return y.recorded("nystrom inverse", from: query.tensor, key.tensor, value.tensor) { dy in
    guard let iterates else { return }
    kernel.measure(
      "nystrom inverse backward", halfCubes: 12 * iterations - 6 + 4 * fullSteps, squares: 8,
      tensors: 7
    ) {
      kernel.backward(dy, iterates)
    }
  }
}
