// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Collective
import Testing
import Training

@Suite("Groups of ranks")
struct CollectiveTests {
  private static let sizes = [1, 2, 4, 8]

  /// The pairwise sum of numbers of very different sizes, so that another order has other bits.
  private static func terms(_ count: Int, seed: Int = 0) -> [Float] {
    var random = RandomStream(seed: UInt64(seed), stream: fnv1a("terms"))
    let terms = (0..<count).map { _ in
      Float(random.normal()) * Float(1 << random.integer(below: 20))
    }
    let isSame = terms.reduce(0, +) == pairwise(terms[...])
    return isSame && count > 2 ? Self.terms(count, seed: seed + 1) : terms
  }

  private static func pairwise(_ terms: ArraySlice<Float>) -> Float {
    guard terms.count > 1 else { return terms.first ?? 0 }
    let middle = terms.startIndex + terms.count / 2
    return pairwise(terms[..<middle]) + pairwise(terms[middle...])
  }

  @Test("Sums over ranks continue the tree of the shards, to the bit", arguments: [1, 2, 4, 8, 16])
  func tree(shards: Int) {
    let terms = Self.terms(shards)
    let whole = Self.pairwise(terms[...])
    for size in Self.sizes where shards % size == 0 {
      let sums = ThreadRank.run(size) { rank in
        let own = BatchCut(shards: shards, accumulation: 1).shards(of: rank.rank, ranks: size)
        var sum = [Self.pairwise(terms[own])]
        sum.withUnsafeMutableBufferPointer { rank.sum($0) }
        return sum[0]
      }
      #expect(sums.allSatisfy { $0.bitPattern == whole.bitPattern }, "\(size) ranks")
    }
  }

  @Test("What the leader has reaches all, and what all have reaches the leader", arguments: sizes)
  func exchange(size: Int) {
    let results = ThreadRank.run(size) { rank in
      let own = [UInt8](repeating: 7, count: rank.rank)
      return (rank.broadcast(rank.leads ? [1, 2, 3] : []), rank.gather(own))
    }
    #expect(results.allSatisfy { $0.0 == [1, 2, 3] })
    #expect(results[0].1 == (0..<size).map { [UInt8](repeating: 7, count: $0) })
    #expect(results.dropFirst().allSatisfy { $0.1.isEmpty })
  }

  @Test("Cores are shared out among the ranks that may use them")
  func threads() {
    let place = { (host: String, allowed: String, cores: Int) in
      RankPlace(host: host, allowed: allowed, cores: cores)
    }
    #expect(RankPlace.threads([place("a", "0-7", 8), place("a", "0-7", 8)]) == [4, 4])
    #expect(RankPlace.threads([place("a", "0-3", 4), place("a", "4-7", 4)]) == [4, 4])
    #expect(RankPlace.threads([place("a", "0-7", 8), place("b", "0-7", 8)]) == [8, 8])
    #expect(RankPlace.threads([place("a", "0", 1), place("a", "0", 1)]) == [1, 1])
  }

  @Test("A rank that would compute something else is named")
  func identity() throws {
    var other = RankIdentity(host: "b", commit: "1", kernel: "avx512", data: "x")
    let leader = RankIdentity(host: "a", commit: "1", kernel: "avx512", data: "x")
    try RankIdentity.requireSame([leader, other])
    other.kernel = "avx2"
    other.data = "y"
    let error = #expect(throws: UserError.self) {
      try RankIdentity.requireSame([leader, leader, other])
    }
    #expect(
      error?.problem
        == "rank 2 on b differs from rank 0 on a: kernel avx2, not avx512; "
        + "data y, not x")
  }

  @Test("A rank with other weights is named, and the first weight that differs")
  func desynchronised() throws {
    let own = [UInt8](repeating: 1, count: 24)
    var other = own
    try TrainingGroup.requireSame([own, own], of: ["a", "b", "c"])
    other[17] = 2
    let error = #expect(throws: UserError.self) {
      try TrainingGroup.requireSame([own, own, own, other], of: ["a", "b", "c"])
    }
    #expect(error?.problem == "rank 3 no longer has the weights of rank 0: c differs")
  }
}
