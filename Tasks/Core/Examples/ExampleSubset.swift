// SPDX-License-Identifier: Apache-2.0

import Base

/// Some of the packed examples, in an order of their own; the examples are shared, not copied.
package struct ExampleSubset: ExampleSource {
  private let examples: PackedExamples
  private let order: [Int]
  /// The number of examples of each class.
  package let labelCounts: [Int]

  /// The examples at the given places.
  ///
  /// - Precondition: every place is one of `examples`.
  package init(_ examples: PackedExamples, order: [Int]) {
    self.examples = examples
    self.order = order
    var counts = [Int](repeating: 0, count: examples.labelCounts.count)
    for place in order { counts[examples.label(place)] += 1 }
    labelCounts = counts
  }

  /// The number of examples.
  package var count: Int { order.count }

  /// The class of one example.
  package func label(_ example: Int) -> Int { examples.label(order[example]) }

  /// The number of tokens of one example.
  package func length(_ example: Int, tower: Int) -> Int {
    examples.length(order[example], tower: tower)
  }

  /// Appends the tokens of one example.
  package func append(_ example: Int, tower: Int, to tokens: inout [Int32]) {
    examples.append(order[example], tower: tower, to: &tokens)
  }

  /// Adds every boundary, byte and label to a hash.
  package func add(to hash: inout FNV1a) {
    hash.add(UInt64(count))
    for place in order {
      hash.add(UInt64(examples.length(place, tower: 0)))
      hash.add(examples[place])
      hash.add(CollectionOfOne(examples.labels[place]))
    }
  }
}
