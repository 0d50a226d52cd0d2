// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

/// Attention within blocks of neighbouring tokens.
///
/// ```
/// token i sees token j  ⟺  |⌊i/b⌋ - ⌊j/b⌋| ≤ r      b = block, r = neighbours
/// ```
/// With CLS pooling and r = 0, the paper's setting, the class token sees its own block only: what it
/// knows of the rest of a long sequence is nothing.
/// - Complexity: O(L·b·(2r + 1)·E) time, O(L·E) memory.
///
/// Source: Tay et al., "Long Range Arena" (2020), arXiv 2011.04006, appendix B.1, whose blocks do
/// not overlap; blocks as in Parmar et al., "Image Transformer" (2018), arXiv 1802.05751.
/// Differs: see ``about``.
struct Local: Mixer {
  static let about = VariantDescription(
    name: "local", paper: "Tay et al., Long Range Arena", year: 2020, arXiv: "2011.04006",
    cost: .linear, summary: "Softmax attention within blocks of neighbouring tokens.",
    deviations: [
      "The last block of a sequence may be short; the paper's is padded.",
      "The LRA code's blocks are tokens at equal distances over the whole sequence, not neighbours.",
    ])

  struct Options: VariantOptions {
    @Knob("tokens of a block", 1...) var block = 50
    @Knob("blocks that a token also sees on either side of its own", 0...) var neighbours = 0

  }

  private let projections: MultiHead
  private let options: Options

  init(_ size: MixerSize, _ options: Options, _ scope: ParameterScope) {
    projections = MultiHead(size, scope)
    self.options = options
  }

  func callAsFunction(_ x: BranchInput, _ context: ForwardContext) -> Tensor {
    projections.attend(x, context) { [pattern($0)] }
  }

  private func pattern(_ length: Int) -> AttentionPattern {
    var pattern = AttentionPattern(length: length)
    let blocks = blocks(options.block, of: length)
    let lists = blocks.map { pattern.list($0) }
    for (i, block) in blocks.enumerated() {
      let seen = lists[
        max(0, i - options.neighbours)..<min(lists.count, i + options.neighbours + 1)]
      pattern.connect(block, to: seen.map { AttentionPattern.Link($0) })
    }
    return pattern
  }
}
