// SPDX-License-Identifier: Apache-2.0

import Base
import Tasks
import Testing

@Suite struct ListOpsGeneratorTests {
  private static let sample = Result {
    try ListOpsGenerator(seed: 0, length: 2000).parts([3000])[0]
  }

  /// The depth of an expression, a lone digit having 1, and the argument counts in it.
  private func measure(_ tokens: ArraySlice<UInt8>) -> (depth: Int, arguments: [Int]) {
    var (depth, greatest, open, finished) = (0, 0, [Int](), [Int]())
    for token in tokens {
      if token == ListOpsToken.close {
        finished.append(open.removeLast())
        depth -= 1
        continue
      }
      if let last = open.indices.last { open[last] += 1 }
      greatest = max(greatest, depth + 1)
      if ListOpsToken.isOperator(token) {
        open.append(0)
        depth += 1
      }
    }
    return (greatest, finished)
  }

  @Test("The first examples of seed 0 never change")
  func frozen() throws {
    let examples = try ListOpsGenerator(seed: 0, length: 2000).parts([50])[0]
    #expect(String(examples.contentHash, radix: 16) == "21e14394b9dfa31a")
  }

  @Test("The number of threads does not matter", arguments: [2, 3, 7])
  func threads(workers: Int) throws {
    let generator = ListOpsGenerator(seed: 3, length: 400)
    let one = try generator.parts([100, 700], workers: 1)
    #expect(try generator.parts([100, 700], workers: workers) == one)
  }

  @Test("Seeds differ")
  func seeds() throws {
    let (a, b) = (
      try ListOpsGenerator(seed: 1, length: 100).parts([20])[0],
      try ListOpsGenerator(seed: 2, length: 100).parts([20])[0]
    )
    #expect(a.contentHash != b.contentHash)
  }

  @Test("Lengths, depths and argument counts lie within the benchmark's bounds")
  func bounds() throws {
    let examples = try Self.sample.get()
    #expect(examples.count == 3000)
    var (lengths, depths, arguments) = ([Int](), Set<Int>(), Set<Int>())
    for example in 0..<examples.count {
      lengths.append(examples.length(example, tower: 0))
      let shape = measure(examples[example])
      depths.insert(shape.depth)
      arguments.formUnion(shape.arguments)
    }
    #expect(lengths.allSatisfy { 500 < $0 && $0 < 2000 })
    #expect((lengths.min() ?? 0) < 520 && (lengths.max() ?? 0) > 1950)
    let mean = Double(lengths.reduce(0, +)) / 3000
    #expect(abs(mean - 1036) < 0.05 * 1036)
    #expect(depths == [10])
    #expect(arguments == Set(2...10))
  }

  @Test("Labels are the expressions' values and are distributed as in the benchmark")
  func labels() throws {
    let examples = try Self.sample.get()
    for example in 0..<examples.count {
      var evaluator = ListOpsEvaluator()
      for token in examples[example] { try evaluator.take(token) }
      #expect(Int(try evaluator.value()) == examples.label(example))
    }
    let shares = examples.labelCounts.map { Double($0) / 3000 }
    for label in [0, 9] { #expect(abs(shares[label] - 0.17) < 0.025) }
    for label in 1...8 { #expect(abs(shares[label] - 0.083) < 0.02) }
    #expect(examples.labelCounts.reduce(0, +) == 3000)
  }

  @Test("Digits and operators are uniform, leaves have three quarters")
  func tokens() throws {
    let tokens = try Self.sample.get().tokens
    var counts = [Double](repeating: 0, count: 16)
    for token in tokens { counts[Int(token)] += 1 }
    let (digits, operators) = (counts[1...10].reduce(0, +), counts[11...14].reduce(0, +))
    for count in counts[1...10] { #expect(abs(count / digits - 0.1) < 0.002) }
    for count in counts[11...14] { #expect(abs(count / operators - 0.25) < 0.005) }
    #expect(counts[0] == 0)
    #expect(counts[15] == operators)
  }

  @Test("No expression occurs twice, within a split or across splits")
  func disjoint() throws {
    let parts = try ListOpsGenerator(seed: 0, length: 20).parts([500, 500, 4000])
    var seen: Set<[UInt8]> = []
    for part in parts {
      for example in 0..<part.count { seen.insert(Array(part[example])) }
    }
    #expect(parts.map(\.count) == [500, 500, 4000])
    #expect(seen.count == 5000)
  }

  @Test("Another length moves the window")
  func window() throws {
    let examples = try ListOpsGenerator(seed: 0, length: 64).parts([400])[0]
    let lengths = (0..<400).map { examples.length($0, tower: 0) }
    #expect(lengths.allSatisfy { 16 < $0 && $0 < 64 })
    #expect(lengths.contains { $0 < 20 } && lengths.contains { $0 > 58 })
  }

  @Test("A length without expressions is refused", arguments: [1, 3, 4, 100_000])
  func impossible(length: Int) {
    let error = userError { _ = try ListOpsGenerator(seed: 0, length: length).parts([2000]) }
    #expect(error?.kind == .usage)
    #expect(error?.problem.contains("fewer than \(length) tokens") == true)
  }
}
