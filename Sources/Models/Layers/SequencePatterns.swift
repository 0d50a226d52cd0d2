// SPDX-License-Identifier: Apache-2.0

import Autodiff

extension PackedSequences {
  /// The patterns of each sequence's heads; sequences of one length share theirs.
  ///
  /// - Parameter make: one pattern for all heads of a sequence of this length, or one for each.
  func patterns(_ make: (Int) -> [AttentionPattern]) -> [AttentionPattern] {
    var known: [Int: [AttentionPattern]] = [:]
    return (0..<count).flatMap { sequence in
      let length = length(sequence)
      let patterns = known[length] ?? make(length)
      known[length] = patterns
      return patterns
    }
  }
}

extension MultiHead {
  /// residual + drop(Wₒ·attention), where every query sees what the patterns say.
  ///
  /// - Parameter patterns: as for ``Autodiff/PackedSequences/patterns(_:)``.
  func attend(
    _ x: BranchInput, _ context: ForwardContext, _ patterns: (Int) -> [AttentionPattern]
  ) -> Tensor {
    let (query, key, value) = queryKeyValue(x)
    let mixed = patternAttention(
      query: query, key: key, value: value, sequences: context.sequences,
      patterns: context.sequences.patterns(patterns), dropout: weightDropout(context),
      precision: context.precision)
    return finish(x, context.probed(mixed, query: query, key: key, value: value), context)
  }
}

/// The blocks of `size` positions that a sequence is cut into; the last one may be short.
func blocks(_ size: Int, of length: Int) -> [Range<Int>] {
  stride(from: 0, to: length, by: size).map { $0..<min(length, $0 + size) }
}
