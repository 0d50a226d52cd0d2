// SPDX-License-Identifier: Apache-2.0

import Tasks
import Testing

/// Examples with tokens disturbed outside a window.
@Suite("Disturbed examples")
struct DisturbedExamplesTests {
  /// Tokens 1, 2, 3 and so on.
  private static let lengths = [1, 2, 17, 64]
  private let source: PackedExamples = {
    var examples = PackedExamples(classes: 2)
    for length in lengths { examples.append((0..<length).map { UInt8($0) }[...], label: 1) }
    return examples
  }()

  private func tokens(_ source: any ExampleSource, _ example: Int) throws -> [Int32] {
    var tokens: [Int32] = []
    try source.append(example, tower: 0, to: &tokens)
    #expect(try tokens.count == source.length(example, tower: 0))
    return tokens
  }

  @Test("Tokens stay, their order does not", arguments: [Disturbance.rest, .blocks])
  func order(disturbance: Disturbance) throws {
    for window in [1, 3, 8] {
      let disturbed = DisturbedExamples(source, disturbance, window: window)
      for example in source.labels.indices {
        let (before, after) = (try tokens(source, example), try tokens(disturbed, example))
        #expect(after.sorted() == before)
        // Fewer places may come out as they were.
        if before.count > 16, before.count >= 4 * window { #expect(after != before) }
      }
    }
  }

  @Test("A window stays where it is")
  func window() throws {
    let before = try tokens(source, 3)
    let after = try tokens(DisturbedExamples(source, .rest, window: 16), 3)
    let kept = try tokens(DisturbedExamples(source, .alone, window: 16), 3)
    let first = Int(try #require(kept.first)) - Int(before[0])
    #expect(kept == Array(before[first..<first + 16]))
    #expect(Array(after[first..<first + 16]) == kept)
  }

  @Test("Blocks stay whole")
  func blocks() throws {
    let after = try tokens(DisturbedExamples(source, .blocks, window: 5), 3)
    let breaks = zip(after, after.dropFirst()).count { $1 != $0 + 1 }
    #expect((1...12).contains(breaks))
  }

  @Test("A window as long as the sequence changes nothing", arguments: Disturbance.allCases)
  func whole(disturbance: Disturbance) throws {
    let disturbed = DisturbedExamples(source, disturbance, window: 64)
    for example in source.labels.indices {
      #expect(try tokens(disturbed, example) == tokens(source, example))
    }
  }

  @Test("The first examples keep their labels and counts")
  func first() throws {
    let first = FirstExamples(source, count: 2)
    #expect(first.count == 2 && first.labelCounts == [0, 2])
    #expect(FirstExamples(source, count: 9).count == 4)
    #expect(try tokens(first, 1) == tokens(source, 1))
  }
}
