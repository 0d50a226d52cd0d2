// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Lets a pair of a query and a key that meets in n chunks count once: its score is lowered by log n.
struct RepeatedPairs {
  private let orders: Int
  private let slots: Int
  private let length: Int
  private let slotChunks: UnsafePointer<Float>
  private let chunks: UnsafePointer<Float>
  private let chunksBefore: UnsafePointer<Float>
  /// log₂ n for n meetings, 0 for none.
  private let logarithms: UnsafePointer<Float>

  /// Nil where pairs count as often as they meet.
  init?(_ pattern: AttentionPattern, _ workspace: Workspace) {
    guard let repeats = pattern.repeats else { return nil }
    orders = repeats.orders
    slots = pattern.slots.count
    length = pattern.queryCount
    slotChunks = UnsafePointer(copyPositions(repeats.slotChunks, workspace))
    chunks = UnsafePointer(copyPositions(repeats.chunks, workspace))
    chunksBefore = UnsafePointer(copyPositions(repeats.chunksBefore, workspace))
    let logarithms = workspace.floats(orders + 1)
    for n in 0...orders { logarithms[n] = log2(Float(max(n, 1))) }
    self.logarithms = UnsafePointer(logarithms)
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
        var (lowering, number) = (Lanes(), Lanes(repeating: 2))
        for n in 2...orders {
          lowering = lowering.replacing(with: logarithms[n], where: meetings .== number)
          number += 1
        }
        store(load(scores + r * row + j) - lowering, scores + r * row + j)
      }
    }
  }

  /// In how many orders a query sees each of sixteen slots' keys.
  @inline(__always)
  private func meetings(_ position: Int, _ slot: Int) -> Lanes {
    var count = Lanes()
    var (keys, own, before) = (slotChunks + slot, chunks + position, chunksBefore + position)
    for _ in 0..<orders {
      let chunk = load(keys)
      let meets = chunk .== own.pointee .| chunk .== before.pointee
      count = count.replacing(with: count + 1, where: meets)
      keys += slots
      own += length
      before += length
    }
    return count
  }
}
