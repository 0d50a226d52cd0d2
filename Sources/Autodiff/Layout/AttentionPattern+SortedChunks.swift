// SPDX-License-Identifier: Apache-2.0

extension AttentionPattern {
  /// Chunks of neighbours in several orders of one sequence: in each order a query sees its own
  /// chunk, itself excepted, and the chunk before, where the last one is before the first.
  ///
  /// In a sequence of one position it sees itself.
  ///
  /// - Parameters:
  ///   - orders: permutations of the positions, of one length.
  ///   - size: positions of a chunk; the last one may be short.
  ///   - countsOnce: whether a key that a query sees in several orders counts once; else it counts as
  ///     often as it is seen.
  /// - Complexity: O(n·L) for n orders of L positions.
  static func sortedChunks(
    of orders: [[Int]], size: Int, countsOnce: Bool
  ) -> AttentionPattern {
    let length = orders.first?.count ?? 0
    var pattern = AttentionPattern(length: length)
    let rule: Rule = length == 1 ? .all : .outside(0...0)
    for order in orders {
      let chunks = stride(from: 0, to: length, by: size).map {
        Array(order[$0..<min(length, $0 + size)])
      }
      let lists = chunks.map { pattern.list($0) }
      for (i, chunk) in chunks.enumerated() {
        let before = (i + chunks.count - 1) % chunks.count
        let links = before == i ? [i] : [i, before]
        pattern.connect(chunk, to: links.map { Link(lists[$0], rule: rule) })
      }
    }
    if countsOnce && orders.count > 1 && length > size {
      pattern.repeats = Repeats(orders, size: size, slots: pattern.slots)
    }
    return pattern
  }

  /// Where each position stands in several orders, to tell in how many a query sees a key.
  struct Repeats {
    /// n.
    let orders: Int
    /// The chunk of each slot's key in each order, [n × slots].
    let slotChunks: [Float]
    /// The chunk of each position in each order, [n × L].
    let chunks: [Float]
    /// The chunk before it.
    let chunksBefore: [Float]

    init(_ orders: [[Int]], size: Int, slots: [Float]) {
      let length = orders.first?.count ?? 0
      let count = (length + size - 1) / size
      var chunks = [Float](repeating: 0, count: orders.count * length)
      for (n, order) in orders.enumerated() {
        for (place, position) in order.enumerated() {
          chunks[n * length + position] = Float(place / size)
        }
      }
      self.orders = orders.count
      self.chunks = chunks
      chunksBefore = chunks.map { $0 == 0 ? Float(count - 1) : $0 - 1 }
      slotChunks = orders.indices.flatMap { n in
        slots.map { $0 < 0 ? -1 : chunks[n * length + Int($0)] }
      }
    }
  }
}
