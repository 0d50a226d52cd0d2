// SPDX-License-Identifier: Apache-2.0

import Base

/// A split in memory, one byte for each token, one sequence for each example.
package struct PackedExamples: ExampleSource, Equatable {
  /// What is added to a stored byte to give its token: 1 where every byte is data, so that 0 can
  /// be padding.
  package let shift: UInt8
  /// The stored bytes of all examples, back to back.
  package private(set) var tokens: [UInt8] = []
  /// Example e is `tokens[offsets[e]..<offsets[e + 1]]`.
  package private(set) var offsets: [Int] = [0]
  /// The class of each example.
  package private(set) var labels: [UInt8] = []
  /// The number of examples of each class.
  package private(set) var labelCounts: [Int]

  /// No examples yet.
  package init(classes: Int, shift: UInt8 = 0) {
    self.shift = shift
    labelCounts = [Int](repeating: 0, count: classes)
  }

  /// What `append` would have collected; nil when the parts do not fit together.
  package init?(
    classes: Int, shift: UInt8 = 0, tokens: [UInt8], offsets: [Int], labels: [UInt8]
  ) {
    guard offsets.count == labels.count + 1, offsets.first == 0, offsets.last == tokens.count,
      zip(offsets, offsets.dropFirst()).allSatisfy({ $0 <= $1 }),
      labels.allSatisfy({ $0 < classes })
    else { return nil }
    self.init(classes: classes, shift: shift)
    (self.tokens, self.offsets, self.labels) = (tokens, offsets, labels)
    for label in labels { labelCounts[Int(label)] += 1 }
  }

  /// Adds one example.
  package mutating func append(_ sequence: ArraySlice<UInt8>, label: UInt8) {
    tokens += sequence
    offsets.append(tokens.count)
    labels.append(label)
    labelCounts[Int(label)] += 1
  }

  /// Adds all examples of another.
  package mutating func append(_ other: PackedExamples) {
    for example in 0..<other.count { append(other[example], label: other.labels[example]) }
  }

  /// Some of the examples.
  package func part(_ range: Range<Int>) -> PackedExamples {
    var part = PackedExamples(classes: labelCounts.count, shift: shift)
    for example in range { part.append(self[example], label: labels[example]) }
    return part
  }

  /// Makes room, so that adding examples does not move them.
  package mutating func reserveCapacity(examples: Int, tokens count: Int) {
    tokens.reserveCapacity(count)
    offsets.reserveCapacity(examples + 1)
    labels.reserveCapacity(examples)
  }

  /// The stored bytes of one example.
  package subscript(example: Int) -> ArraySlice<UInt8> {
    tokens[offsets[example]..<offsets[example + 1]]
  }

  /// The number of examples.
  package var count: Int { labels.count }

  /// The class of one example.
  package func label(_ example: Int) -> Int { Int(labels[example]) }

  /// The number of tokens of one example.
  package func length(_ example: Int, tower: Int) -> Int {
    offsets[example + 1] - offsets[example]
  }

  /// Appends the tokens of one example.
  package func append(_ example: Int, tower: Int, to tokens: inout [Int32]) {
    tokens.append(contentsOf: self[example].lazy.map { Int32($0) + Int32(shift) })
  }

  package func add(to hash: inout FNV1a) { hash.add(contentHash) }

  /// A hash of every token, boundary and label.
  package var contentHash: UInt64 {
    var hash = FNV1a()
    for example in 0..<count {
      hash.add(self[example])
      hash.add([0, labels[example]])  // 0 is padding and never inside an expression
    }
    return hash.value
  }
}
