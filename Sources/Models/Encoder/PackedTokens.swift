// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

/// The real tokens of a batch, back to back.
package struct PackedTokens: Sendable {
  /// Token numbers.
  package let tokens: [Int32]
  /// Where each sequence begins, and where the last one ends.
  package let offsets: [Int]
  /// The longest sequence there can be.
  package let capacity: Int
  private var specials = 0

  /// - Precondition: see ``PackedSequences``.
  package init(tokens: [Int32], offsets: [Int], capacity: Int) {
    self.tokens = tokens
    self.offsets = offsets
    self.capacity = capacity
  }

  /// The same with the class token, -1, in front of every sequence.
  var prependingClassToken: PackedTokens {
    var longer: [Int32] = []
    longer.reserveCapacity(tokens.count + offsets.count)
    for (start, end) in zip(offsets, offsets.dropFirst()) {
      longer.append(-1)
      longer.append(contentsOf: tokens[start..<end])
    }
    var result = PackedTokens(
      tokens: longer, offsets: offsets.enumerated().map { $0.element + $0.offset },
      capacity: capacity + 1)
    result.specials = 1
    return result
  }

  /// The context of a pass over these tokens.
  func context(_ mode: ForwardMode, _ precision: Precision) -> ForwardContext {
    let sequences = PackedSequences(offsets: offsets, capacity: capacity)
    switch mode {
    case .evaluation: return .evaluation(sequences, precision)
    case .probing(let probe):
      probe.beginPass()
      return .evaluation(sequences, precision, probe: probe)
    case .observing(let observer):
      return .evaluation(sequences, precision, observer: observer)
    case .training(let seed, let updates):
      return .training(
        sequences, precision, seed, firstRow: seed.tokensBefore + specials * seed.sequencesBefore,
        updates: updates)
    }
  }
}
