// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

/// Attention of every block of b tokens to itself and to a block that a learned sort puts beside
/// it.
///
/// ```
/// R = (Σ of each block's rows)·W      P = Sinkhorn(R)      K̂[i] = Σₗ P[i, l]·K[l]
/// O[i] = softmax(Q[i]·[K̂[i] ‖ K[i]]ᵀ/√D)·[V̂[i] ‖ V[i]]
/// ```
/// per head: R has a column for each block there can be, Sinkhorn makes its rows and columns sum to
/// 1 (``sinkhornSort(_:sequences:heads:iterations:temperature:noise:)``), and sorted keys and
/// values are mixtures of blocks
/// (``sortedBlockAttention(query:key:value:sorting:blocks:shortcut:dropout:)``).
/// - Complexity: O(L·(b + L/b)·E) time, which is O(L√L·E) for b about √L; O(L·E + (L/b)²) memory.
///
/// Source: Tay et al., "Sparse Sinkhorn Attention" (2020), arXiv 2002.11296, section 3, with its
/// SortCut. Block and temperature begin at the values of lucidrains' code; 8 iterations bring the
/// sums of rows within 1e-4 of 1 for scores of deviation 1.
/// Differs: see ``about``.
struct Sinkhorn: Mixer {
  static let about = VariantDescription(
    name: "sinkhorn", paper: "Tay et al., Sparse Sinkhorn Attention", year: 2020,
    arXiv: "2002.11296", cost: .rootTimesLinear,
    summary: "Attention inside blocks, and to blocks that a learned sort puts beside them.",
    deviations: [
      "The scores between blocks are one linear map of the sums of their rows.",
      "Sorted and own keys share one softmax; the LRA code adds two attentions.",
      "The LRA code sums every block into every sorted one: its sort gets no gradient.",
      "Noise is drawn in training only; lucidrains' code draws it in evaluation too, keeps one block "
        + "of each row of the sort, and normalises log relu(R).",
      "With sortcut, queries attend to their own block too, which the paper leaves out.",
    ])

  struct Options: VariantOptions {
    @Knob("b, the tokens of a block; about √L for the least work", 1...) var block = 64
    @Knob("of the sort's normalisation, rows and columns", 1...) var iterations = 8
    @Knob("of the sort; the lower, the nearer it is to a permutation", above: 0)
    var temperature = 0.75
    @Knob("0, or a number of sorted blocks that all queries attend to instead of their own", 0...)
    var sortcut = 0
  }

  private let projections: MultiHead
  private let sort: Parameter
  private let size: MixerSize
  private let options: Options
  private let noiseSite: UInt64

  init(_ size: MixerSize, _ options: Options, _ scope: ParameterScope) {
    projections = MultiHead(size, scope)
    let blocks = (size.length + options.block - 1) / options.block
    sort = scope.weight("sort.weight", [size.heads * blocks, size.width], .xavierUniform)
    self.size = size
    self.options = options
    noiseSite = dropoutSite(scope.place + ".sort")
  }

  func callAsFunction(_ x: BranchInput, _ context: ForwardContext) -> Tensor {
    let blocks = SequencePieces(context.sequences, length: options.block)
    let maps = projections.inputs
    if x.observer != nil { maps.show(x.normalized, to: x.observer) }
    let (rows, sums) = x.project(maps.front, sumsOf: blocks)
    let all = maps.expanded(rows, context.mapPrecision)
    let (query, key) = (projections.heads(all, 0), projections.heads(all, 1))
    let value = projections.heads(all, 2)
    let mixed = sortedBlockAttention(
      query: query, key: key, value: value, sorting: sorting(sums, blocks, context), blocks: blocks,
      shortcut: options.sortcut, dropout: projections.weightDropout(context))
    return projections.finish(
      x, context.probed(mixed, query: query, key: key, value: value), context)
  }

  /// P, one row for each block.
  private func sorting(_ sums: Tensor, _ blocks: SequencePieces, _ context: ForwardContext)
    -> Tensor
  {
    sinkhornSort(
      linear(sums, weight: sort.tensor), sequences: blocks.sequences, heads: size.heads,
      iterations: options.iterations, temperature: Float(options.temperature),
      noise: context.key(site: noiseSite).map {
        GumbelNoise(key: $0, firstSequence: context.firstSequence)
      })
  }
}
