// SPDX-License-Identifier: Apache-2.0

/// Softmax attention on the CPU over the pairs of a pattern: sizes, and the cut of the work.
///
/// Scores are kept in units of log 2, so that the exponential is a power of two: the keys are
/// scaled by log₂(e) and the scale of the products while they are packed.
struct AttentionKernel {
  static let log2e: Float = 1.442_695_04

  let query: HeadsView
  let key: HeadsView
  let value: HeadsView
  let queries: PackedSequences
  let keys: PackedSequences
  let dropout: Dropout
  /// Numbers the rows of the queries for dropout.
  let dropoutRows: PackedSequences
  /// What the products of queries and keys are multiplied by.
  let scale: Float
  let term: AttentionBias
  /// Of the operands of products.
  let precision: Precision
  /// One for each sequence, or one for each sequence and head, those of a sequence together.
  private let patterns: [AttentionPattern]
  /// Whether no query of any pattern stands in a second round.
  let hasOneRound: Bool

  /// - Parameter term: nothing, unless every query sees every key.
  init(
    _ query: HeadsView, _ key: HeadsView, _ value: HeadsView, _ queries: PackedSequences,
    _ keys: PackedSequences,
    _ patterns: [AttentionPattern], _ dropout: Dropout, dropoutRows: PackedSequences? = nil,
    scale: Float? = nil, term: AttentionBias = .none, precision: Precision = .fp32
  ) {
    precondition(
      query.count == key.count && query.count == value.count && query.width == key.width,
      "attention: query, key and value differ in heads, or query and key in width")
    precondition(
      queries.count == keys.count,
      "attention: \(queries.count) query sequences, \(keys.count) key sequences")
    precondition(
      query.tensor.rows == queries.rows && key.tensor.rows == keys.rows
        && value.tensor.rows == keys.rows,
      "attention: \(query.tensor.rows) query rows for \(queries.rows), "
        + "\(key.tensor.rows) key rows for \(keys.rows)")
    precondition(
      patterns.count == queries.count || patterns.count == queries.count * query.count,
      "attention: \(patterns.count) patterns, \(queries.count) sequences, \(query.count) heads")
    self.query = query
    self.key = key
    self.value = value
    self.queries = queries
    self.keys = keys
    self.patterns = patterns
    hasOneRound = patterns.allSatisfy { $0.rounds.count <= 1 }
    self.dropout = dropout
    self.dropoutRows = dropoutRows ?? queries
    self.scale = scale ?? 1 / Float(query.width).squareRoot()
    self.term = term
    self.precision = precision
    term.check(heads: heads, queries, keys)
    for piece in pieces(parts: 1) { check(piece) }
  }

  private func check(_ piece: AttentionPiece) {
    let lengths = (queries.length(piece.sequence), keys.length(piece.sequence))
    precondition(
      (piece.pattern.queryCount, piece.pattern.keyCount) == lengths,
      "attention: a pattern of \(piece.pattern.queryCount) × \(piece.pattern.keyCount) "
        + "for \(lengths)")
  }

  var heads: Int { query.count }
  /// The width of a value.
  var width: Int { value.width }
  /// The width of a query and of a key.
  var keyWidth: Int { query.width }
  /// The widths rounded up to whole panels; the columns beyond are zero.
  var paddedWidth: Int { Panels.padded(width) }
  var paddedKeyWidth: Int { Panels.padded(keyWidth) }
  /// Whether the backward pass by sequences needs the gradients of the scores: that of a table is
  /// summed by itself.
  var needsScoreGradients: Bool {
    if case .table = term { keyWidth > 0 } else { true }
  }

  /// The rows of a tile's queries, `width` floats in whole panels, as the left-hand side of a product.
  func left(
    _ rows: UnsafePointer<Float>, _ queries: QueryTile, width: Int, _ workspace: Workspace
  ) -> StridedMatrix {
    .rows(
      rows, row: Panels.padded(width), rows: queries.padded, columns: width, precision, workspace)
  }

  /// The same rows as the right-hand side of a product over queries, in whole panels.
  func right(
    _ rows: UnsafePointer<Float>, _ queries: QueryTile, width: Int, _ workspace: Workspace
  ) -> Panels {
    let width = Panels.padded(width)
    if precision == .fp32 { return Panels(rowMajor: rows, stride: width) }
    return Panels.pack(
      rows: rows, stride: width, inner: queries.count, columns: width,
      into: workspace.panels(queries.count, width, precision: precision), precision: precision)
  }

  /// The key of dropping weights of one query.
  func dropKey(_ sequence: Int, _ head: Int, _ position: Int) -> UInt32 {
    dropout.isActive ? dropout.rowKey(dropoutRows.offsets[sequence] + position, head + 1) : 0
  }

  func pattern(_ sequence: Int, _ head: Int) -> AttentionPattern {
    patterns.count == queries.count ? patterns[sequence] : patterns[sequence * heads + head]
  }

  /// Enters `multiplyAdds` for each pair of a query and a key of each head under the name.
  func measure(_ name: String, multiplyAdds: Int, _ kernel: () -> Void) {
    let pairs = pieces(parts: 1).reduce(0) { $0 + $1.pattern.pairs }
    Profiler.shared.measure(
      name, flops: multiplyAdds * 2 * pairs,
      bytes: 4 * (heads * (keyWidth + width) * (queries.rows + keys.rows) + term.count), kernel)
  }

  /// Sequences and heads, longest first, the parts of each together.
  func pieces(parts: Int) -> [AttentionPiece] {
    queries.longestFirst.flatMap { sequence in
      (0..<heads * parts).map {
        AttentionPiece(self, sequence, head: $0 / parts, part: $0 % parts, of: parts)
      }
    }
  }

  // MARK: Forward

  /// Writes the result, and the logarithm to base 2 of each row's sum of exponentials.
  func forward(into y: Tensor, _ logSums: Storage) {
    clearUncovered(y, logSums)
    // A row's result does not depend on the cut, so the number of threads may.
    let few = queries.count * heads < 4 * Workers.shared.count
    let pieces = pieces(parts: few ? (queries.longest + 4 * tileRows - 1) / (4 * tileRows) : 1)
    let rounds = pieces.map(\.pattern.rounds.count).max() ?? 0
    for round in 0..<rounds {
      parallel(pieces.count) { index, workspace in
        let piece = pieces[index]
        guard round < piece.pattern.rounds.count else { return }
        AttentionForward(self, piece, workspace).run(round, into: y, logSums)
      }
    }
  }

  /// Queries that are not in the first round begin with nothing.
  private func clearUncovered(_ y: Tensor, _ logSums: Storage) {
    for piece in pieces(parts: 1) {
      for position in piece.pattern.uncovered {
        let row = queries.offsets[piece.sequence] + position
        (y.pointer + row * y.columns + piece.head * width).update(repeating: 0, count: width)
        logSums.pointer[row * heads + piece.head] = -.infinity
      }
    }
  }

  // MARK: Backward

  /// The gradients of Q, K and V from that of the result.
  func backward(_ dy: Storage, result: Storage, _ logSums: Storage) {
    let targets = HeadTargets([query, key, value] + term.heads)
    let parts = backwardParts
    let pieces = pieces(parts: parts)
    let size = HeadGradients.count(self)
    let sums = parts == 1 ? nil : Storage(count: pieces.count * size)
    parallel(pieces.count) { index, workspace in
      let memory = sums.map { $0.pointer + index * size } ?? workspace.floats(size)
      let gradients = HeadGradients(self, pieces[index], memory)
      AttentionBackward(self, pieces[index], into: gradients, workspace)
        .run(dy, result, logSums, targets)
      if parts == 1 { gradients.write(targets) }
    }
    guard let sums else { return }
    parallel(pieces.count / parts) { index, _ in
      let all = (index * parts..<(index + 1) * parts).map {
        HeadGradients(self, pieces[$0], sums.pointer + $0 * size)
      }
      for other in all.dropFirst() { all[0].add(other) }
      all[0].write(targets)
    }
  }

  /// Where there are few long sequences and heads, the queries of each are cut, and the parts'
  /// gradients of keys added up; the cut depends on the shapes alone.
  private var backwardParts: Int {
    guard case .none = term else { return 1 }
    let pairs = max(1, queries.count * heads)
    return max(1, min((8 + pairs - 1) / pairs, queries.capacity / 2048))
  }
}
