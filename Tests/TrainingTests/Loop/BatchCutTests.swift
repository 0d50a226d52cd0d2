// SPDX-License-Identifier: Apache-2.0

import Tasks
import Testing
import Training

@Suite("Cuts of a batch")
struct BatchCutTests {
  @Test(
    "Every example is in one part, at its place in the batch",
    arguments: [(1, 1), (1, 3), (1, 8), (8, 1), (8, 2), (8, 8), (2, 2)])
  func cover(shards: Int, accumulation: Int) {
    let cut = BatchCut(shards: shards, accumulation: accumulation)
    for ranks in [1, 2, 4, 8] where shards % ranks == 0 {
      let all = (0..<ranks).flatMap { Array(cut.shards(of: $0, ranks: ranks)) }
      #expect(all == Array(0..<shards))
    }
    for count in [3, 8, 13] {
      let batch = Batch(
        tokens: Array(0..<Int32(6 * count)), offsets: (0...2 * count).map { 3 * $0 },
        labels: Array(0..<Int32(count)), examples: Array(0..<count))
      let parts = (0..<shards).flatMap { cut.parts(of: $0, batch, towers: 2) }
      #expect(parts.count == min(count, cut.partCount))
      #expect(parts.flatMap(\.batch.tokens) == batch.tokens)
      #expect(parts.flatMap(\.batch.labels) == batch.labels)
      for part in parts {
        #expect(part.firstSequence == 2 * Int(part.batch.labels[0]))
        #expect(part.firstToken == Int(part.batch.tokens[0]))
        #expect(part.batch.offsets.first == 0)
        #expect(part.batch.offsets.last == part.batch.tokens.count)
      }
    }
  }
}
