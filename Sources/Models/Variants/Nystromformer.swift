// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

/// Attention through M landmarks, as the Nyström method approximates a matrix by some of its rows
/// and columns.
///
/// ```
/// O = softmax(Q·K̃ᵀ/√D)·A⁺·(softmax(Q̃·Kᵀ/√D)·V) + conv(V)      A = softmax(Q̃·K̃ᵀ/√D)
/// ```
/// Q̃ and K̃ are the means of M consecutive parts of the sequence, A⁺ comes from a few iterations
/// (``nystromInverse(query:key:value:landmarks:iterations:)``), and conv is a convolution along the
/// sequence, one kernel a head.
/// - Complexity: O(L·M·E + M³) time, O(L·E) memory.
///
/// Source: Xiong et al., "Nyströmformer: A Nyström-based Algorithm for Approximating
/// Self-Attention" (2021), arXiv 2102.03902; 128 landmarks, 6 iterations and a kernel of 35 are its
/// LRA settings.
/// Differs: see ``about``.
struct Nystromformer: Mixer {
  static let about = VariantDescription(
    name: "nystromformer",
    paper:
      "Xiong et al., Nyströmformer: A Nyström-based Algorithm for Approximating Self-Attention",
    year: 2021, arXiv: "2102.03902", cost: .linear,
    summary: "Softmax attention through the means of M parts of the sequence.",
    parts: [.heads, .projections],
    deviations: [
      "Landmarks are means of real tokens, n tokens in min(M, n) parts; the authors' code averages "
        + "padding in.",
      "The inverse begins with the norm of its own matrix; the authors' code takes the largest of "
        + "the whole batch by default.",
      "model.attention-dropout has no effect, as in the authors' code.",
    ])

  struct Options: VariantOptions {
    @Knob("M, the parts that a sequence is cut into", 1...) var landmarks = 128
    @Knob("of the approximate inverse between landmarks", 1...) var iterations = 6
    @Knob("taps of the convolution of the values, odd; 0 for none", 0...) var conv = 35

    func validate(_ size: MixerSize) throws {
      guard conv == 0 || conv % 2 == 1 else {
        throw UserError(
          .configuration, "model.conv is \(conv), but must be an odd number of taps, or 0",
          remedy: "use, for example, --set model.conv=35")
      }
    }
  }

  private let projections: MultiHead
  private let size: MixerSize
  private let options: Options
  private let kernel: Parameter?

  init(_ size: MixerSize, _ options: Options, _ scope: ParameterScope) {
    projections = MultiHead(size, scope)
    self.size = size
    self.options = options
    kernel =
      options.conv == 0
      ? nil : scope.weight("conv.weight", [size.heads, options.conv], .lecunNormal)
  }

  func callAsFunction(_ x: BranchInput, _ context: ForwardContext) -> Tensor {
    let sequences = context.sequences
    let (query, key, value) = projections.queryKeyValue(x)
    let parts = SequencePieces(sequences, count: options.landmarks)
    let means = segmentMean(
      HeadsView(query.tensor, count: 2 * size.heads, width: size.headWidth), pieces: parts)
    let (queryMeans, keyMeans) = (projections.heads(means, 0), projections.heads(means, 1))
    let gathered = attention(
      query: queryMeans, key: key, value: value, queries: parts.sequences, keys: sequences,
      precision: context.precision)
    let inverted = nystromInverse(
      query: queryMeans, key: keyMeans, value: projections.heads(gathered, 0),
      landmarks: parts.sequences, iterations: options.iterations)
    var mixed = attention(
      query: query, key: keyMeans, value: projections.heads(inverted, 0), queries: sequences,
      keys: parts.sequences, precision: context.precision)
    mixed = context.probed(mixed, query: query, key: key, value: value)
    if let kernel {
      mixed = depthwiseConvolution(
        mixed, adding: value, kernel: kernel.tensor, sequences: sequences)
    }
    return projections.finish(x, mixed, context)
  }
}
