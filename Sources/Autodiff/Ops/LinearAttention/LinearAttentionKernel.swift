// SPDX-License-Identifier: Apache-2.0

/// Linear attention on the CPU: a tile of rows at a time through features, state and result.
struct LinearAttentionKernel<Features: FeatureKernel> {
  let shape: LinearAttentionShape
  let features: Features
  let layout: LinearAttentionState.Layout

  init(_ shape: LinearAttentionShape, _ features: Features) {
    self.shape = shape
    self.features = features
    layout = LinearAttentionState.Layout(features: features.count, width: shape.width)
  }

  /// Reads Q, K and V and writes the result.
  func measureForward(_ kernel: () -> Void) {
    measure("linear attention", products: 2 + features.products.forward, operands: 4, kernel)
  }

  /// Reads Q, K, V, the result and its gradient, and writes three gradients.
  func measureBackward(_ kernel: () -> Void) {
    measure(
      "linear attention backward", products: 4 + features.products.backward, operands: 8, kernel)
  }

  private func measure(_ name: String, products: Int, operands: Int, _ kernel: () -> Void) {
    let elements = shape.sequences.rows * shape.heads * shape.width
    Profiler.shared.measure(
      name, flops: 2 * products * elements * features.count, bytes: 4 * operands * elements, kernel)
  }

  /// What the backward pass needs beside the operands and the result.
  struct Saved {
    /// S, z and the shift of every sequence and head.
    let states: Storage
    /// Those of the quotients, [N, H].
    let denominators: Storage
  }

  func makeSaved() -> Saved {
    Saved(
      states: Storage(count: shape.sequences.count * shape.heads * layout.count),
      denominators: Storage(count: shape.query.tensor.rowCapacity * shape.heads))
  }

  /// The heads of one sequence that are worked on together, and their states.
  struct Piece {
    let sequence: Int
    let heads: Range<Int>
    let states: UnsafeMutablePointer<Float>

    func state(_ head: Int, _ layout: LinearAttentionState.Layout) -> LinearAttentionState {
      LinearAttentionState(layout, at: states + (head - heads.lowerBound) * layout.count)
    }
  }

  /// Runs `body` for all sequences and heads.
  ///
  /// The heads of a row lie side by side in memory, so a piece takes all of them unless their
  /// states would not fit in the cache or there are too few sequences for the threads.
  func forEachPiece(_ states: Storage, _ body: (Piece, Workspace) -> Void) {
    let heads = shape.heads
    let fitting = max(1, min(heads, (1 << 16) / layout.count))
    let few = shape.sequences.count < 2 * Workers.shared.count
    let together = few ? 1 : (1...fitting).last { heads % $0 == 0 } ?? 1
    let order = shape.sequences.longestFirst
    let perSequence = heads / together
    parallel(order.count * perSequence) { index, workspace in
      let sequence = order[index / perSequence]
      let first = index % perSequence * together
      let piece = Piece(
        sequence: sequence, heads: first..<first + together,
        states: states.pointer + (sequence * heads + first) * layout.count)
      body(piece, workspace)
    }
  }

  /// The buffers of a tile.
  struct Tile {
    /// Queries or keys, for all heads of a piece.
    let x: HeadTile
    /// Values or gradients of the result.
    let other: HeadTile
    /// φ, [rows × Mp].
    let features: UnsafeMutablePointer<Float>
    /// [rows × P].
    let result: UnsafeMutablePointer<Float>
    /// [rows], all 1.
    let ones: UnsafePointer<Float>

    init(_ layout: LinearAttentionState.Layout, heads: Range<Int>, _ workspace: Workspace) {
      x = HeadTile(heads: heads, row: layout.padded, workspace)
      other = HeadTile(heads: heads, row: layout.padded, workspace)
      features = workspace.floats(tileRows * layout.paddedFeatures)
      result = workspace.floats(tileRows * layout.padded)
      let ones = workspace.floats(tileRows)
      ones.update(repeating: 1, count: tileRows)
      self.ones = UnsafePointer(ones)
    }
  }

  // MARK: Forward

  func forward(into y: Tensor, _ saved: Saved) {
    forEachPiece(saved.states) { piece, workspace in
      let tile = Tile(layout, heads: piece.heads, workspace)
      sumKeys(piece, tile, workspace)
      for rows in shape.sequences.tiles(piece.sequence) {
        tile.x.copy(shape.query, rows)
        for head in piece.heads {
          let state = piece.state(head, layout)
          features.write(
            HeadRows(x: tile.x.rows(head), rows: rows, head: head), into: tile.features)
          state.multiply(tile.features, rows.count, into: tile.result)
          divide(tile, rows, head, state, into: y, saved.denominators)
        }
      }
    }
  }

  /// S = Σ φ(k)·vᵀ and z = Σ φ(k).
  private func sumKeys(_ piece: Piece, _ tile: Tile, _ workspace: Workspace) {
    piece.states.update(repeating: 0, count: piece.heads.count * layout.count)
    if let exponents = features.keyExponents {
      return sumKeys(piece, tile, exponents, workspace)
    }
    forEachKeyTile(piece, tile) { own, state, values in
      features.write(own, into: tile.features)
      state.add(tile.features, values, tile.ones, own.rows.count)
    }
  }

  /// The same where only the last key decides about the shift: what is summed up by then is lowered
  /// whenever the shift grows, and ε, which is not, comes last.
  private func sumKeys(
    _ piece: Piece, _ tile: Tile, _ exponents: some KeyExponents, _ workspace: Workspace
  ) {
    for head in piece.heads { piece.state(head, layout).shift.pointee = -.infinity }
    let sums = workspace.zeros(piece.heads.count * layout.padded)
    let valueSum = { head in sums + (head - piece.heads.lowerBound) * layout.padded }
    forEachKeyTile(piece, tile) { own, state, values in
      state.raiseShift(to: exponents.writeExponents(own, into: tile.features))
      var shifted = own
      shifted.shift = state.shift.pointee
      exponents.raise(shifted, tile.features)
      state.add(tile.features, values, tile.ones, own.rows.count)
      addColumnSums(values, own.rows.count, layout.padded, into: valueSum(own.head))
    }
    let count = shape.sequences.length(piece.sequence)
    for head in piece.heads {
      piece.state(head, layout).add(exponents.epsilon, values: valueSum(head), count: count)
    }
  }

  private func forEachKeyTile(
    _ piece: Piece, _ tile: Tile,
    _ body: (HeadRows, LinearAttentionState, UnsafePointer<Float>) -> Void
  ) {
    for rows in shape.sequences.tiles(piece.sequence) {
      tile.x.copy(shape.key, rows)
      tile.other.copy(shape.value, rows)
      for head in piece.heads {
        body(
          HeadRows(x: tile.x.rows(head), rows: rows, head: head), piece.state(head, layout),
          tile.other.rows(head))
      }
    }
  }

  /// The result of a tile: φ(q)ᵀS over its denominator, max(φ(q)ᵀ·z + ε, floor).
  private func divide(
    _ tile: Tile, _ rows: Range<Int>, _ head: Int, _ state: LinearAttentionState, into y: Tensor,
    _ denominators: Storage
  ) {
    for (r, row) in rows.enumerated() {
      let sum = innerProduct(
        state.sum, tile.features + r * layout.paddedFeatures, count: layout.paddedFeatures)
      let denominator = max(sum + shape.epsilon, shape.floor)
      denominators.pointer[row * shape.heads + head] = denominator
      scaleRow(
        tile.result + r * layout.padded, count: layout.width, by: 1 / denominator,
        into: y.pointer + row * y.columns + head * layout.width)
    }
  }
}
