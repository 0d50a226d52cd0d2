// SPDX-License-Identifier: Apache-2.0

/// Projects each sequence along its length: K rows instead of L.
///
/// ```
/// ȳ[κ, c] = Σᵢ P[g(c)][κ, i]·x[i, c]      i over the real tokens of the sequence
/// ```
/// Columns beyond a sequence's length are not used, so padding cannot leak into the projection.
///
/// - Parameters:
///   - x: [N, C].
///   - projections: P, G of them, [K, Lmax] each.
///   - groups: for each block of C / groups.count columns, which projection it uses. A projection
///     may serve several blocks.
///   - sequences: the sequences of x, at most Lmax long.
///   - precision: of the operands of the products.
/// - Returns: [B·K, C], K rows for each sequence.
/// - Complexity: time 2·N·K·C operations forward and 4·N·K·C backward; memory O(B·K·C).
///
/// Saves: x.
///
/// Source: Wang et al., "Linformer: Self-Attention with Linear Complexity" (2020),
/// arXiv 2006.04768, equation 7.
package func projectSequence(
  _ x: Tensor, projections: [Tensor], groups: [Int], sequences: PackedSequences,
  precision: Precision = .fp32
) -> Tensor {
  let kernel = ProjectionKernel(x, projections, groups, sequences, precision)
  let shape = [sequences.count * kernel.projected, kernel.columns]
  let y = Tensor(shape: shape, storage: Storage(count: shape[0] * shape[1]))
  kernel.measure("project sequence", products: 1) { kernel.forward(into: y) }
  return y.recorded("project sequence", from: [x] + projections) { dy in
    kernel.measure("project sequence backward", products: 2) { kernel.backward(dy) }
  }
}

private struct ProjectionKernel {
  let x: Tensor
  let projections: [Tensor]
  let sequences: PackedSequences
  let precision: Precision
  let columns: Int
  let projected: Int
  private let length: Int
  /// Neighbouring columns with one projection.
  private let blocks: [Block]

  private struct Block {
    let group: Int
    let columns: Range<Int>
  }

  init(
    _ x: Tensor, _ projections: [Tensor], _ groups: [Int], _ sequences: PackedSequences,
    _ precision: Precision
  ) {
    precondition(
      Set(projections.map(\.shape)).count == 1 && projections[0].shape.count == 2,
      "projectSequence: projections \(projections.map(\.shape)) are not of one shape [K, L]")
    precondition(
      sequences.longest <= projections[0].shape[1],
      "projectSequence: a sequence of \(sequences.longest) exceeds \(projections[0].shape)")
    precondition(x.rows == sequences.rows, "projectSequence: \(x.shape) for \(sequences.rows) rows")
    precondition(
      !groups.isEmpty && x.columns % groups.count == 0
        && groups.allSatisfy { projections.indices.contains($0) },
      "projectSequence: groups \(groups) for \(x.columns) columns, \(projections.count) projections"
    )
    self.x = x
    self.projections = projections
    self.sequences = sequences
    self.precision = precision
    columns = x.columns
    projected = projections[0].shape[0]
    length = projections[0].shape[1]
    blocks = ProjectionKernel.merge(groups, width: x.columns / groups.count)
  }

  private static func merge(_ groups: [Int], width: Int) -> [Block] {
    var blocks: [Block] = []
    for (i, group) in groups.enumerated() {
      let columns = i * width..<(i + 1) * width
      if let last = blocks.last, last.group == group {
        blocks[blocks.count - 1] = Block(
          group: group, columns: last.columns.lowerBound..<columns.upperBound)
      } else {
        blocks.append(Block(group: group, columns: columns))
      }
    }
    return blocks
  }

  func measure(_ name: String, products: Int, _ kernel: () -> Void) {
    Profiler.shared.measure(
      name, flops: products * 2 * sequences.rows * projected * columns,
      bytes: 4 * products * (sequences.rows + sequences.count * projected) * columns, kernel)
  }

  private func projection(_ group: Int) -> UnsafeMutablePointer<Float> {
    projections[group].pointer
  }

  // MARK: Forward

  /// One sequence and one panel of columns at a time.
  func forward(into y: Tensor) {
    let order = sequences.longestFirst
    let work = order.flatMap { sequence in
      blocks.flatMap { block in
        stride(from: block.columns.lowerBound, to: block.columns.upperBound, by: 64).map {
          (sequence, block.group, $0..<min(block.columns.upperBound, $0 + 64))
        }
      }
    }
    parallel(work.count) { index, workspace in
      let (sequence, group, range) = work[index]
      forward(sequence, projection(group), range, y, workspace)
    }
  }

  private func forward(
    _ sequence: Int, _ weights: UnsafePointer<Float>, _ range: Range<Int>, _ y: Tensor,
    _ workspace: Workspace
  ) {
    let rows = sequences.range(sequence)
    let out = y.pointer + sequence * projected * columns + range.lowerBound
    let depth = 256
    let packed = workspace.panels(depth, range.count, precision: precision)
    for first in stride(from: 0, to: max(rows.count, 1), by: depth) {
      let part = min(depth, rows.count - first)
      let panels = Panels.pack(
        rows: x.pointer + (rows.lowerBound + first) * columns + range.lowerBound, stride: columns,
        inner: part, columns: range.count, into: packed, precision: precision)
      let mark = workspace.mark
      gemm(
        rows: projected, columns: range.count, inner: part,
        .rows(
          weights + first, row: length, rows: projected, columns: part, precision, workspace),
        panels, into: out, stride: columns, accumulate: first > 0)
      workspace.rewind(to: mark)
    }
  }

  // MARK: Backward

  /// One block of positions at a time, all sequences: dx and the gradient of the projections share
  /// what is packed.
  func backward(_ dy: Storage) {
    let packed = packGradients(dy)
    let dx = x.node?.target()
    let dWeights = projections.map { $0.node?.target() }
    parallel(length, by: tileRows) { positions, workspace in
      for group in projections.indices {
        let tile = PositionTile(group: group, positions: positions)
        backward(tile, packed, dx, dWeights[group], workspace)
      }
    }
  }

  private struct PositionTile {
    let group: Int
    let positions: Range<Int>
  }

  /// The gradient of the result for each sequence and block, in both layouts.
  private struct PackedGradients {
    let rows: Storage
    let transposed: Storage
    let perSequence: Int
    let offsets: [Int]
  }

  private func packGradients(_ dy: Storage) -> PackedGradients {
    var offsets: [Int] = []
    var size = 0
    for block in blocks {
      offsets.append(size)
      size += max(
        Panels.floatCount(
          inner: projected, columns: block.columns.count, precision: precision),
        Panels.floatCount(
          inner: block.columns.count, columns: projected, precision: precision))
    }
    let rows = Storage(count: sequences.count * size)
    let transposed = Storage(count: sequences.count * size)
    parallel(sequences.count * blocks.count) { index, _ in
      let (sequence, block) = (index / blocks.count, index % blocks.count)
      let range = blocks[block].columns
      let from = dy.pointer + sequence * projected * columns + range.lowerBound
      let offset = sequence * size + offsets[block]
      Panels.pack(
        rows: from, stride: columns, inner: projected, columns: range.count,
        into: rows.pointer + offset, precision: precision)
      Panels.pack(
        transposed: from, stride: columns, inner: range.count, columns: projected,
        into: transposed.pointer + offset, precision: precision)
    }
    return PackedGradients(
      rows: rows, transposed: transposed, perSequence: size, offsets: offsets)
  }

  private func backward(
    _ tile: PositionTile, _ packed: PackedGradients, _ dx: GradientTarget?,
    _ dWeights: GradientTarget?, _ workspace: Workspace
  ) {
    let positions = tile.positions
    let sums = workspace.zeros(positions.count * packedProjected)
    let weights = StridedMatrix.transpose(
      transposedWeights(tile, workspace), row: tileRows, rows: projected,
      columns: positions.count, precision, workspace)
    for sequence in 0..<sequences.count {
      let rows = min(sequences.length(sequence), positions.upperBound) - positions.lowerBound
      guard rows > 0 else { continue }
      let row = sequences.offsets[sequence] + positions.lowerBound
      for (index, block) in blocks.enumerated() where block.group == tile.group {
        let offset = sequence * packed.perSequence + packed.offsets[index]
        let mark = workspace.mark
        defer { workspace.rewind(to: mark) }
        gemm(
          rows: rows, columns: packedProjected, inner: block.columns.count,
          .rows(
            x.pointer + row * columns + block.columns.lowerBound, row: columns, rows: rows,
            columns: block.columns.count, precision, workspace),
          panels(packed.transposed, offset, block.columns.count), into: sums,
          stride: packedProjected, accumulate: true)
        if let dx {
          gemm(
            rows: rows, columns: block.columns.count, inner: projected,
            weights, panels(packed.rows, offset, projected),
            into: dx.pointer + row * columns + block.columns.lowerBound, stride: columns,
            accumulate: dx.accumulate)
        }
      }
    }
    if let dWeights { write(sums, tile, into: dWeights) }
  }

  private var packedProjected: Int { Panels.count(projected) * Panels.width }

  private func panels(_ storage: Storage, _ offset: Int, _ inner: Int) -> Panels {
    Panels(packed: storage.pointer + offset, inner: inner, precision: precision)
  }

  /// P[κ, position] of a tile, the positions of one κ side by side.
  private func transposedWeights(
    _ tile: PositionTile, _ workspace: Workspace
  ) -> UnsafeMutablePointer<Float> {
    let weights = workspace.floats(projected * tileRows)
    let from = projection(tile.group) + tile.positions.lowerBound
    for k in 0..<projected {
      (weights + k * tileRows).update(from: from + k * length, count: tile.positions.count)
    }
    return weights
  }

  private func write(
    _ sums: UnsafePointer<Float>, _ tile: PositionTile, into target: GradientTarget
  ) {
    let to = target.pointer + tile.positions.lowerBound
    for k in 0..<projected {
      for i in 0..<tile.positions.count {
        let sum = sums[i * packedProjected + k]
        to[k * length + i] = target.accumulate ? to[k * length + i] + sum : sum
      }
    }
  }
}
