// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

/// Attention to two sets of about √L keys, through which two layers connect all tokens.
///
/// ```
/// strided: A₁ = { j : |i - j| < l }          A₂ = { j : (i - j) mod l = 0 }
/// fixed:   A₁ = { j : ⌊i/l⌋ = ⌊j/l⌋ }        A₂ = { j : j is one of the last c of its block }
/// ```
/// A head attends to A₁ ∪ A₂ (merged), or the first half of the heads to A₁ and the others to A₂
/// (split). With fixed sets and c ≥ l everybody sees everything.
/// - Complexity: O(L·(l + c·L/l)·E) time, so O(L√L·E) for l = √L; O(L·E) memory.
///
/// Source: Child et al., "Generating Long Sequences with Sparse Transformers" (2019),
/// arXiv 1904.10509, sections 4.2 and 4.3.
/// Differs: see ``about``.
struct SparseTransformer: Mixer {
  static let about = VariantDescription(
    name: "sparse",
    paper: "Child et al., Generating Long Sequences with Sparse Transformers", year: 2019,
    arXiv: "1904.10509", cost: .rootTimesLinear,
    summary: "Softmax attention to neighbours and to columns at equal distances.",
    deviations: [
      "Tokens look both ways; the paper's, which generate, and the LRA code's look back only.",
      "l follows from the longest sequence there can be, so that columns keep their places.",
      "Of a last block that is short, the last columns are its own, so that it is seen at all.",
      "The LRA code builds the L × L mask and opens the class token's row and column.",
    ])

  /// Which sets of keys there are.
  enum Sets: String, SettingChoice {
    /// Neighbours, and tokens at multiples of l.
    case strided
    /// The own block, and the last columns of all blocks.
    case fixed
  }

  /// Who sees which set.
  enum Combination: String, SettingChoice {
    /// Every head sees both sets.
    case merged
    /// Half of the heads see the first set, half the second.
    case split
  }

  struct Options: VariantOptions {
    @Knob("strided or fixed") var pattern = Sets.fixed
    @Knob("l, tokens of a block or between columns; 0 means the root of the length", 0...)
    var stride = 0
    @Knob("c, the last columns of each block that everybody sees; with fixed only", 1...)
    var summary = 8
    @Knob("merged: every head sees both sets; split: half of the heads see either")
    var combine = Combination.merged

    var idle: [String: String] {
      pattern == .fixed ? [:] : ["summary": "strided sets have no summary columns"]
    }

    func validate(_ size: MixerSize) throws {
      guard combine == .merged || size.whole.heads % 2 == 0 else {
        throw UserError(
          .configuration, "model.combine is split, but there are \(size.whole.heads) heads",
          remedy: "use an even number of heads, or --set model.combine=merged")
      }
    }
  }

  private let projections: MultiHead
  private let options: Options
  /// Whether each head is of the first half.
  private let isFirstHalf: [Bool]
  /// l.
  private let distance: Int

  init(_ size: MixerSize, _ options: Options, _ scope: ParameterScope) {
    projections = MultiHead(size, scope)
    self.options = options
    isFirstHalf = size.headNumbers.map { $0 < size.whole.heads / 2 }
    let root = Int(Double(size.length).squareRoot().rounded())
    distance = options.stride == 0 ? max(1, root) : options.stride
  }

  func callAsFunction(_ x: BranchInput, _ context: ForwardContext) -> Tensor {
    projections.attend(x, context) { length in
      switch options.combine {
      case .merged: return [pattern(length, first: true, second: true)]
      case .split:
        let first = pattern(length, first: true, second: false)
        let second = pattern(length, first: false, second: true)
        return isFirstHalf.map { $0 ? first : second }
      }
    }
  }

  private func pattern(_ length: Int, first: Bool, second: Bool) -> AttentionPattern {
    switch options.pattern {
    case .strided: strided(length, first, second)
    case .fixed: fixed(length, first, second)
    }
  }

  /// Both sets have the query itself in common.
  private func strided(_ length: Int, _ first: Bool, _ second: Bool) -> AttentionPattern {
    var pattern = AttentionPattern(length: length)
    if first {
      let band = 1 - distance...distance - 1
      let all = pattern.list(0..<length)
      pattern.connect(0..<length, to: [.init(all, rule: .inside(band))])
    }
    if second {
      for residue in 0..<min(distance, length) {
        let column = Array(stride(from: residue, to: length, by: distance))
        let keys = pattern.list(column)
        pattern.connect(column, to: [.init(keys, rule: first ? .outside(0...0) : .all)])
      }
    }
    return pattern
  }

  /// A block's last columns are left to the second set, where there is one.
  private func fixed(_ length: Int, _ first: Bool, _ second: Bool) -> AttentionPattern {
    var pattern = AttentionPattern(length: length)
    let blocks = blocks(distance, of: length)
    let columns = pattern.list(blocks.flatMap { $0.suffix(options.summary) })
    for block in blocks {
      var links: [AttentionPattern.Link] = []
      if first {
        let own = second ? block.dropLast(options.summary) : block
        links.append(.init(pattern.list(own)))
      }
      if second { links.append(.init(columns)) }
      pattern.connect(block, to: links)
    }
    return pattern
  }
}
