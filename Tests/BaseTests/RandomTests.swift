// SPDX-License-Identifier: Apache-2.0

import Base
import Testing

@Suite struct RandomTests {
  @Test("Philox gives the known answers of Random123")
  func knownAnswers() {
    #expect(
      Philox(key: 0).block((0, 0)) == (0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8))
    #expect(
      Philox(key: .max).block((.max, .max))
        == (0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD))
    let digitsOfPi = Philox(key: 0x299F_31D0_A409_3822)
    #expect(
      digitsOfPi.block((0x85A3_08D3_243F_6A88, 0x0370_7344_1319_8A2E))
        == (0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1))
  }

  @Test("A stream reads the blocks of its counter in order")
  func streamOrder() {
    var stream = RandomStream(seed: 7, stream: 3)
    let (a, b, c, d) = Philox(key: 7).block((0, 3))
    #expect(stream.next() == UInt64(b) << 32 | UInt64(a))
    #expect(stream.next() == UInt64(d) << 32 | UInt64(c))
    let second = Philox(key: 7).block((1, 3))
    #expect(stream.next() == UInt64(second.1) << 32 | UInt64(second.0))
  }

  @Test("Streams differ by seed and by number")
  func streamsDiffer() {
    func first(_ seed: UInt64, _ stream: UInt64) -> UInt64 {
      var random = RandomStream(seed: seed, stream: stream)
      return random.next()
    }
    #expect(Set([first(0, 0), first(0, 1), first(1, 0), first(1, 1)]).count == 4)
  }

  @Test("Integers cover the range evenly", arguments: [1, 2, 9, 10])
  func integers(range: Int) {
    var random = RandomStream(seed: 1, stream: 2)
    var counts = [Int](repeating: 0, count: range)
    let draws = 20_000
    for _ in 0..<draws { counts[random.integer(below: range)] += 1 }
    let expected = Double(draws) / Double(range)
    for count in counts {
      #expect(abs(Double(count) - expected) < 5 * expected.squareRoot() + 1)
    }
  }

  @Test("An integer is the upper half of the product")
  func integerDefinition() {
    var random = RandomStream(seed: 4, stream: 4)
    var raw = random
    for _ in 0..<100 {
      #expect(random.integer(below: 1000) == Int(raw.next().multipliedFullWidth(by: 1000).high))
    }
  }

  @Test("Uniform and normal numbers have the right mean and variance")
  func moments() {
    var random = RandomStream(seed: 3, stream: fnv1a("moments"))
    let count = 40_000
    let uniform = (0..<count).map { _ in random.uniform() }
    let normal = (0..<count).map { _ in random.normal() }
    #expect(uniform.allSatisfy { (0..<1).contains($0) })
    #expect(abs(mean(uniform) - 0.5) < 0.008)
    #expect(abs(mean(uniform.map { ($0 - 0.5) * ($0 - 0.5) }) - 1.0 / 12) < 0.003)
    #expect(abs(mean(normal)) < 0.025)
    #expect(abs(mean(normal.map { $0 * $0 }) - 1) < 0.04)
    #expect(abs(mean(normal.map { $0 * $0 * $0 * $0 }) - 3) < 0.3)
  }

  private func mean(_ numbers: [Double]) -> Double {
    numbers.reduce(0, +) / Double(numbers.count)
  }

  @Test("FNV-1a gives the published values")
  func hash() {
    #expect(fnv1a("") == 0xCBF2_9CE4_8422_2325)
    #expect(fnv1a("a") == 0xAF63_DC4C_8601_EC8C)
    #expect(fnv1a("foobar") == 0x8594_4171_F739_67E8)
    var word = FNV1a()
    word.add(0x6162_6F6F_66 as UInt64)
    var bytes = FNV1a()
    bytes.add([0x66, 0x6F, 0x6F, 0x62, 0x61, 0, 0, 0])
    #expect(word.value == bytes.value)
    #expect(FNV1a().hexadecimal == "cbf29ce484222325")
  }

  @Test("A permutation holds every index once and differs by epoch and seed")
  func permutations() {
    let first = permutation(count: 1000, seed: 5, epoch: 0)
    #expect(first.sorted() == Array(0..<1000))
    #expect(first == permutation(count: 1000, seed: 5, epoch: 0))
    #expect(first != permutation(count: 1000, seed: 5, epoch: 1))
    #expect(first != permutation(count: 1000, seed: 6, epoch: 0))
    #expect(first != Array(0..<1000))
    #expect(permutation(count: 0, seed: 5, epoch: 0).isEmpty)
    #expect(permutation(count: 1, seed: 5, epoch: 0) == [0])
  }

  @Test("All orders of three are equally likely")
  func fairPermutations() {
    var counts: [[Int]: Int] = [:]
    for epoch in 0..<6000 { counts[permutation(count: 3, seed: 0, epoch: epoch), default: 0] += 1 }
    #expect(counts.count == 6)
    #expect(counts.values.allSatisfy { abs($0 - 1000) < 150 })
  }
}
