// SPDX-License-Identifier: Apache-2.0

/// Neighbouring slots whose scores are computed at once.
struct KeyTile {
  let slots: Range<Int>
  /// Leaves pairs out, or `all`.
  let rule: AttentionPattern.Rule

  /// The first slot of the panel in which the first slot lies.
  var panel: Int { slots.lowerBound / Panels.width * Panels.width }
  /// Columns of the product that come before the first slot.
  var lead: Int { slots.lowerBound - panel }
  /// Columns of the product.
  var columns: Int { Panels.count(slots.upperBound - panel) * Panels.width }
}

extension AttentionKernel {
  /// The tile as a part of the whole matrix of logits, if something is added to these: then queries
  /// are neighbours, and the slots of keys are their positions.
  func logitTile(_ piece: AttentionPiece, _ queries: QueryTile, _ tile: KeyTile) -> LogitTile? {
    if case .none = term { return nil }
    let first = self.queries.offsets[piece.sequence]
    let row = first + queries.position(0)
    return LogitTile(
      rows: row..<row + queries.count, keys: tile.slots, first: first,
      firstKey: keys.offsets[piece.sequence], head: piece.head)
  }
}

extension AttentionPattern {
  /// Cuts a step into tiles of at most `width` slots that end with a panel.
  func forEachKeyTile(
    of step: Step, _ queries: ClosedRange<Int>, width: Int, _ body: (KeyTile) -> Void
  ) {
    let list = lists[step.list]
    var first = step.slots.lowerBound
    while first < step.slots.upperBound {
      let end = min(step.slots.upperBound, first / Panels.width * Panels.width + width)
      let keys =
        list.isContiguous ? first + list.shift...end - 1 + list.shift : list.span
      let reach = step.rule.reach(queries, keys)
      if reach != .none {
        body(KeyTile(slots: first..<end, rule: reach == .every ? .all : step.rule))
      }
      first = end
    }
  }
}

extension KeyTile {
  /// Scores of pairs that do not count become -∞.
  ///
  /// - Parameters:
  ///   - scores: of the first slot; row: floats from one query's to the next.
  ///   - positions: of all slots.
  func mask(
    _ scores: UnsafeMutablePointer<Float>, row: Int, _ queries: QueryTile,
    _ positions: UnsafePointer<Float>
  ) {
    let keys = positions + slots.lowerBound
    switch rule {
    case .all: break
    case .inside(let band):
      for r in 0..<queries.count {
        keepInside(Band(band, queries.positions[r]), scores + r * row, keys)
      }
    case .outside(let band):
      for r in 0..<queries.count {
        keepOutside(Band(band, queries.positions[r]), scores + r * row, keys)
      }
    }
  }

  /// Key positions at the ends of a band around one query.
  private struct Band {
    let low: Float
    let high: Float

    init(_ band: ClosedRange<Int>, _ query: Float) {
      low = query + Float(band.lowerBound)
      high = query + Float(band.upperBound)
    }
  }

  private func keepInside(
    _ band: Band, _ row: UnsafeMutablePointer<Float>, _ keys: UnsafePointer<Float>
  ) {
    for j in stride(from: 0, to: slots.count, by: laneCount) {
      let key = load(keys + j)
      let high = load(row + j).replacing(with: -.infinity, where: key .> band.high)
      store(high.replacing(with: -.infinity, where: key .< band.low), row + j)
    }
  }

  private func keepOutside(
    _ band: Band, _ row: UnsafeMutablePointer<Float>, _ keys: UnsafePointer<Float>
  ) {
    for j in stride(from: 0, to: slots.count, by: laneCount) {
      let (key, score) = (load(keys + j), load(row + j))
      let low = score.replacing(with: -.infinity, where: key .>= band.low)
      store(low.replacing(with: score, where: key .> band.high), row + j)
    }
  }
}
