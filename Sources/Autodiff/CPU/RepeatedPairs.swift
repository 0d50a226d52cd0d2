import Foundation

/// Lets a pair of a query and a key that meets in n chunks count once: its score is lowered by log n.
struct RepeatedPairs {
  private let orders: Int
  private let slots: Int
  private let length: Int
  private let slotChunks: UnsafePointer<Float>
  private let chunks: UnsafePointer<Float>
  private let chunksBefore: UnsafePointer<Float>

  /// Nil where pairs count as often as they meet.
  init?(_ pattern: AttentionPattern, _ workspace: Workspace) {
    guard let repeats = pattern.repeats else { return nil }
    orders = repeats.orders
    slots = pattern.slots.count
    length = pattern.queryCount
    slotChunks = UnsafePointer(copyPositions(repeats.slotChunks, workspace))
    chunks = UnsafePointer(copyPositions(repeats.chunks, workspace))
    chunksBefore = UnsafePointer(copyPositions(repeats.chunksBefore, workspace))
  }

  /// Lowers the scores of a tile, which are in units of log 2.
  ///
  /// - Parameters:
  ///   - scores: of the first slot; row: floats from one query's to the next.
  func lower(
    _ scores: UnsafeMutablePointer<Float>, row: Int, _ queries: QueryTile, _ tile: KeyTile
  ) {
    for r in 0..<queries.count {
      let position = queries.position(r)
      for j in stride(from: 0, to: tile.slots.count, by: laneCount) {
        let meetings = meetings(position, tile.slots.lowerBound + j)
        var score = load(scores + r * row + j)
        for n in 2...orders {
          score = score.replacing(
            with: score - log2(Float(n)), where: meetings .== Float(n))
        }
        store(score, scores + r * row + j)
      }
    }
  }

  /// In how many orders a query sees each of sixteen slots' keys.
  @inline(__always)
  private func meetings(_ position: Int, _ slot: Int) -> Lanes {
    var count = Lanes()
    for n in 0..<orders {
      let keys = load(slotChunks + n * slots + slot)
      let own = keys .== chunks[n * length + position]
      let before = keys .== chunksBefore[n * length + position]
      count = count.replacing(with: count + 1, where: own .| before)
    }
    return count
  }
}
