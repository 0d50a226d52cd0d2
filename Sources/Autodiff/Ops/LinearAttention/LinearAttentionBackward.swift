// SPDX-License-Identifier: Apache-2.0

/// The gradients of Q, K and V.
///
/// With n = φ(q)ᵀS and d = max(φ(q)ᵀz + ε, floor), o = n/d, where o and d are saved:
/// ```
/// dn = do/d    dd = -(do·o)/d    dφ(q) = S·dn + z·dd    dS = Σ φ(q)·dnᵀ    dz = Σ φ(q)·dd
/// dφ(k) = dS·v + dz              dv = dSᵀ·φ(k)
/// ```
/// and dd = 0 where d is the floor.
extension LinearAttentionKernel {
  func backward(_ dy: Storage, result: Storage, _ saved: Saved) {
    let (dy, result) = (shape.results(dy), shape.results(result))
    let targets = HeadTargets([shape.query, shape.key, shape.value])
    forEachPiece(saved.states) { piece, workspace in
      let work = BackwardWork(layout, piece, workspace)
      backwardQueries(work, dy, result, saved.denominators, targets)
      backwardKeys(work, targets)
    }
  }

  /// The buffers of a piece.
  private struct BackwardWork {
    let piece: Piece
    /// The gradients of its states.
    let dPiece: Piece
    let tile: Tile
    let result: HeadTile
    /// [rows × Mp].
    let dFeatures: UnsafeMutablePointer<Float>
    /// dd, [rows].
    let factors: UnsafeMutablePointer<Float>
    let workspace: Workspace

    init(_ layout: LinearAttentionState.Layout, _ piece: Piece, _ workspace: Workspace) {
      self.piece = piece
      dPiece = Piece(
        sequence: piece.sequence, heads: piece.heads,
        states: workspace.zeros(piece.heads.count * layout.count))
      tile = Tile(layout, heads: piece.heads, workspace)
      result = HeadTile(heads: piece.heads, row: layout.padded, workspace)
      dFeatures = workspace.floats(tileRows * layout.paddedFeatures)
      factors = workspace.floats(tileRows)
      self.workspace = workspace
    }
  }

  private func backwardQueries(
    _ work: BackwardWork, _ dy: HeadsView, _ result: HeadsView, _ denominators: Storage,
    _ targets: HeadTargets
  ) {
    let (piece, tile) = (work.piece, work.tile)
    let transposed = piece.heads.map { piece.state($0, layout).transposed(work.workspace) }
    for rows in shape.sequences.tiles(piece.sequence) {
      tile.x.copy(shape.query, rows)
      tile.other.copy(dy, rows)
      work.result.copy(result, rows)
      for (index, head) in piece.heads.enumerated() {
        let own = HeadRows(x: tile.x.rows(head), rows: rows, head: head)
        let dn = tile.other.rows(head)
        features.write(own, into: tile.features)
        differentiateQuotients(
          dn, work.result.rows(head), rows.count,
          denominators.pointer + rows.lowerBound * shape.heads + head, work.factors)
        work.dPiece.state(head, layout).add(tile.features, dn, work.factors, rows.count)
        transposed[index].multiply(dn, rows.count, into: work.dFeatures)
        features.pullBack(
          own, features: tile.features,
          FeatureGradient(
            matrix: work.dFeatures, factors: work.factors, sum: piece.state(head, layout).sum),
          into: tile.result)
        targets.write(tile.result, row: layout.padded, rows: rows, shape.query, head)
      }
    }
  }

  private func backwardKeys(_ work: BackwardWork, _ targets: HeadTargets) {
    let (piece, dPiece, tile) = (work.piece, work.dPiece, work.tile)
    let transposed = piece.heads.map { dPiece.state($0, layout).transposed(work.workspace) }
    for rows in shape.sequences.tiles(piece.sequence) {
      tile.x.copy(shape.key, rows)
      tile.other.copy(shape.value, rows)
      for (index, head) in piece.heads.enumerated() {
        let dState = dPiece.state(head, layout)
        let own = HeadRows(
          x: tile.x.rows(head), rows: rows, head: head,
          shift: piece.state(head, layout).shift.pointee)
        features.write(own, into: tile.features)
        transposed[index].multiply(tile.other.rows(head), rows.count, into: work.dFeatures)
        features.pullBack(
          own, features: tile.features,
          FeatureGradient(matrix: work.dFeatures, factors: tile.ones, sum: dState.sum),
          into: tile.result)
        targets.write(tile.result, row: layout.padded, rows: rows, shape.key, head)
        dState.multiply(tile.features, rows.count, into: tile.result)
        targets.write(tile.result, row: layout.padded, rows: rows, shape.value, head)
      }
    }
  }

  /// Replaces every do of a tile by dn, and stores dd.
  ///
  /// - Parameter denominators: of the tile's first row, H apart from row to row.
  private func differentiateQuotients(
    _ dy: UnsafeMutablePointer<Float>, _ result: UnsafePointer<Float>, _ rows: Int,
    _ denominators: UnsafePointer<Float>, _ factors: UnsafeMutablePointer<Float>
  ) {
    for r in 0..<rows {
      let denominator = denominators[r * shape.heads]
      let inverse = 1 / denominator
      let first = r * layout.padded
      let product = innerProduct(dy + first, result + first, count: layout.padded)
      factors[r] = denominator > shape.floor ? -product * inverse : 0
      for j in stride(from: first, to: first + layout.padded, by: laneCount) {
        store(load(dy + j) * inverse, dy + j)
      }
    }
  }
}
