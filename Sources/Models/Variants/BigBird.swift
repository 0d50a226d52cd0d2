// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

/// Attention between blocks: the ends of the sequence, a window, and a few at random.
///
/// ```
/// block i sees block j  ⟺  i or j is one of the g first or last, or |i - j| ≤ (w - 1)/2,
///                          or j is one of r blocks drawn for i      of n = ⌈L/b⌉ blocks
/// ```
/// The r blocks are drawn uniformly among those that block i does not see anyway, for each layer,
/// head and n, once and for all from `random-seed`. Where no more than r are left, i sees them all.
/// - Complexity: O(L·(2g + w + r)·b·E) time, O(L·E) memory.
///
/// Source: Zaheer et al., "Big Bird: Transformers for Longer Sequences" (2020), arXiv 2007.14062,
/// section 2 and appendix D, the form with internal global tokens (ITC).
/// Differs: see ``about``.
struct BigBird: Mixer {
  static let about = VariantDescription(
    name: "bigbird", paper: "Zaheer et al., Big Bird: Transformers for Longer Sequences",
    year: 2020, arXiv: "2007.14062", cost: .linear,
    summary: "Softmax attention of blocks to global, neighbouring and random blocks.",
    deviations: [
      "The last block of a sequence may be short; the paper's is padded.",
      "Random blocks are not stored: sequences with different numbers of blocks see different graphs. "
        + "docs/models.md says how they are drawn.",
      "The original code draws the random blocks of short sequences from the first 2r + 5, the "
        + "LRA code from the first 1024 tokens.",
    ])

  struct Options: VariantOptions {
    @Knob("b, tokens of a block", 1...) var block = 64
    @Knob(
      "r, random blocks that a block sees; drawn for each layer, head and number of blocks", 0...)
    var random = 3
    @Knob("g, blocks at each end that see all and that all see", 0...) var global = 1
    @Knob("w, neighbouring blocks that a block sees, its own among them", 1...)
    var window = 3
    @Knob("what the random blocks are drawn from", 0...) var randomSeed = 0

    var idle: [String: String] {
      random == 0 ? ["random-seed": "no random blocks are drawn"] : [:]
    }

    func validate(_ size: MixerSize) throws {
      guard window % 2 == 1 else {
        throw UserError(
          .configuration,
          "model.window is \(window), but must be odd: the own block and as many "
            + "on either side", remedy: "use \(window + 1)")
      }
    }
  }

  private let projections: MultiHead
  private let options: Options
  /// By which random blocks are drawn.
  private let heads: [Int]
  private let path: String

  init(_ size: MixerSize, _ options: Options, _ scope: ParameterScope) {
    projections = MultiHead(size, scope)
    self.options = options
    heads = size.headNumbers
    path = scope.place
  }

  func callAsFunction(_ x: BranchInput, _ context: ForwardContext) -> Tensor {
    projections.attend(x, context) { length in heads.map { pattern(length, head: $0) } }
  }

  private func pattern(_ length: Int, head: Int) -> AttentionPattern {
    var pattern = AttentionPattern(length: length)
    let all = pattern.list(0..<length)
    let blocks = blocks(options.block, of: length)
    for (block, seen) in zip(blocks, seenBlocks(of: blocks.count, head: head)) {
      pattern.connect(
        block, to: runs(seen.map { blocks[$0] }).map { AttentionPattern.Link(all, part: $0) })
    }
    return pattern
  }

  /// The blocks that each of `count` blocks sees, in ascending order.
  func seenBlocks(of count: Int, head: Int) -> [[Int]] {
    var random = RandomStream(
      seed: UInt64(options.randomSeed), stream: fnv1a("\(path).random.\(head).\(count)"))
    return (0..<count).map { i in
      if isGlobal(i, of: count) { return Array(0..<count) }
      let reach = options.window / 2
      var seen = Set((0..<count).filter { isGlobal($0, of: count) || abs($0 - i) <= reach })
      if count - seen.count <= options.random { return Array(0..<count) }
      let wanted = seen.count + options.random
      while seen.count < wanted { seen.insert(random.integer(below: count)) }
      return seen.sorted()
    }
  }

  private func isGlobal(_ block: Int, of count: Int) -> Bool {
    block < options.global || block >= count - options.global
  }

  /// The same positions, blocks that touch as one.
  private func runs(_ blocks: [Range<Int>]) -> [Range<Int>] {
    blocks.reduce(into: []) { runs, block in
      if let last = runs.last, last.upperBound == block.lowerBound {
        runs[runs.count - 1] = last.lowerBound..<block.upperBound
      } else {
        runs.append(block)
      }
    }
  }
}
