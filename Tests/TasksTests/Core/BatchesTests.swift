// SPDX-License-Identifier: Apache-2.0

import Base
import Tasks
import Testing

@Suite struct BatchesTests {
  @Test("A batch packs its sequences back to back")
  func packing() throws {
    var examples = PackedExamples(classes: 3)
    examples.append([1, 2, 3], label: 2)
    examples.append([4], label: 0)
    examples.append([5, 6], label: 2)
    let batch = try makeBatch(examples, examples: [2, 0], towers: 1)
    #expect(batch.tokens == [5, 6, 1, 2, 3])
    #expect(batch.offsets == [0, 2, 5])
    #expect(batch.labels == [2, 2])
    #expect(batch.examples == [2, 0])
    #expect(examples.labelCounts == [1, 0, 2])
    #expect(majorityShare(examples.labelCounts) == 2.0 / 3)
    #expect(majorityShare([0, 0]) == 0)
  }

  /// Sequences that tell which example and tower they come from.
  private struct Pairs: ExampleSource {
    let count = 4
    let labelCounts = [2, 2]
    func label(_ example: Int) -> Int { example % 2 }
    func length(_ example: Int, tower: Int) -> Int { 2 }
    func append(_ example: Int, tower: Int, to tokens: inout [Int32]) {
      tokens += [Int32(example), Int32(tower)]
    }
    func add(to hash: inout FNV1a) {}
  }

  @Test("The towers of an example follow each other")
  func towers() throws {
    let batch = try makeBatch(Pairs(), examples: [3, 1], towers: 2)
    #expect(batch.tokens == [3, 0, 3, 1, 1, 0, 1, 1])
    #expect(batch.offsets == [0, 2, 4, 6, 8])
    #expect(batch.labels == [1, 1])
  }

  @Test("Parts that do not fit together are refused")
  func parts() {
    #expect(PackedExamples(classes: 2, tokens: [1, 2], offsets: [0, 2], labels: [1]) != nil)
    #expect(PackedExamples(classes: 2, tokens: [1, 2], offsets: [0, 2], labels: [2]) == nil)
    #expect(PackedExamples(classes: 2, tokens: [1, 2], offsets: [0, 1], labels: [1]) == nil)
    #expect(PackedExamples(classes: 2, tokens: [1, 2], offsets: [1, 2], labels: [1]) == nil)
    #expect(
      PackedExamples(classes: 2, tokens: [1, 2], offsets: [0, 3, 2], labels: [1, 1]) == nil)
    #expect(PackedExamples(classes: 2, tokens: [1, 2], offsets: [0, 1, 2], labels: [1]) == nil)
  }

  @Test("Each epoch holds every example once, in another order")
  func epochs() {
    let order = TrainingOrder(count: 50, seed: 9)
    let first = order.examples(start: 0, count: 50)
    let second = order.examples(start: 50, count: 50)
    #expect(first.sorted() == Array(0..<50))
    #expect(second.sorted() == Array(0..<50))
    #expect(first != second)
    #expect(first == permutation(count: 50, seed: 9, epoch: 0))
    #expect(TrainingOrder(count: 50, seed: 8).examples(start: 0, count: 50) != first)
  }

  @Test("Seeking gives what reading through gives, also across epochs")
  func seeking() {
    let whole = TrainingOrder(count: 7, seed: 1).examples(start: 0, count: 40)
    let order = TrainingOrder(count: 7, seed: 1)
    for start in [36, 4, 12, 0, 33] {
      #expect(order.examples(start: start, count: 4) == Array(whole[start..<start + 4]))
    }
  }

  @Test("Content hashes see boundaries and labels")
  func hashes() {
    func hash(_ sequences: [[UInt8]], _ labels: [UInt8]) -> UInt64 {
      var examples = PackedExamples(classes: 10)
      for (sequence, label) in zip(sequences, labels) {
        examples.append(sequence[...], label: label)
      }
      return examples.contentHash
    }
    let hashes = [
      hash([[1, 2], [3]], [0, 1]), hash([[1], [2, 3]], [0, 1]), hash([[1, 2], [3]], [1, 0]),
      hash([[1, 2, 3]], [0]),
    ]
    #expect(Set(hashes).count == 4)
  }
}
