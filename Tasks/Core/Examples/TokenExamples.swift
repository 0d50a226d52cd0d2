// SPDX-License-Identifier: Apache-2.0

import Base

/// Sequences of any tokens in memory, or some of them in an order of their own.
struct TokenExamples: ExampleSource {
  private let tokens: [Int32]
  /// Sequence s is `tokens[ranges[s]]`.
  private let ranges: [Range<Int>]
  private let labels: [UInt8]
  let labelCounts: [Int]

  /// - Parameters:
  ///   - tokens: of all sequences.
  ///   - ranges: the place of each sequence among them.
  ///   - labels: the class of each.
  init(_ tokens: [Int32], ranges: [Range<Int>], labels: [UInt8], classes: Int) {
    (self.tokens, self.ranges, self.labels) = (tokens, ranges, labels)
    var counts = [Int](repeating: 0, count: classes)
    for label in labels { counts[Int(label)] += 1 }
    labelCounts = counts
  }

  /// Some of the sequences; their tokens are shared, not copied.
  func subset(_ order: [Int]) -> TokenExamples {
    TokenExamples(
      tokens, ranges: order.map { ranges[$0] }, labels: order.map { labels[$0] },
      classes: labelCounts.count)
  }

  var count: Int { labels.count }

  func label(_ example: Int) -> Int { Int(labels[example]) }

  func length(_ example: Int, tower: Int) -> Int { ranges[example].count }

  func append(_ example: Int, tower: Int, to tokens: inout [Int32]) {
    tokens += self.tokens[ranges[example]]
  }

  /// Adds every boundary, token and label to a hash.
  func add(to hash: inout FNV1a) {
    hash.add(UInt64(count))
    for (range, label) in zip(ranges, labels) {
      hash.add(UInt64(range.count))
      hash.add(tokens: tokens[range])
      hash.add(CollectionOfOne(label))
    }
  }
}
