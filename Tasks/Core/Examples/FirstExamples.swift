// SPDX-License-Identifier: Apache-2.0

import Base

/// The first examples of a split.
package struct FirstExamples: ExampleSource {
  private let source: any ExampleSource
  /// The number of examples.
  package let count: Int
  /// The number of examples of each class.
  package let labelCounts: [Int]

  /// At most `count` examples.
  package init(_ source: any ExampleSource, count: Int) {
    self.source = source
    self.count = min(count, source.count)
    var counts = [Int](repeating: 0, count: source.labelCounts.count)
    for example in 0..<self.count { counts[source.label(example)] += 1 }
    labelCounts = counts
  }

  /// The class of one example.
  package func label(_ example: Int) -> Int { source.label(example) }
  /// The number of tokens of one sequence.
  package func length(_ example: Int, tower: Int) throws -> Int {
    try source.length(example, tower: tower)
  }
  /// Appends the tokens of one sequence.
  package func append(_ example: Int, tower: Int, to tokens: inout [Int32]) throws {
    try source.append(example, tower: tower, to: &tokens)
  }
  /// Adds the examples, all of the source, and how many are taken.
  package func add(to hash: inout FNV1a) {
    source.add(to: &hash)
    hash.add(UInt64(count))
  }
}
