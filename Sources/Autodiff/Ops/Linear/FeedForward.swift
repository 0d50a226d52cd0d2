// SPDX-License-Identifier: Apache-2.0

/// y = x + drop₂(W₂·drop₁(f(W₁·LayerNorm(x) + b₁)) + b₂): a whole pre-norm feed-forward block in one
/// pass over tiles of rows, each of which goes through F a slice at a time.
///
/// - Parameters:
///   - x: [N, E].
///   - norm: γ and β, [E].
///   - inner: W₁ [F, E] and b₁ [F].
///   - outer: W₂ [E, F] and b₂ [E].
///   - activation: f.
///   - dropout: drop₁ (after the activation) and drop₂ (before the residual sum).
///   - precision: of the operands of the products.
/// - Returns: [N, E].
/// - Complexity: 4·N·E·F operations forward and 8·N·E·F backward. Memory: the result, and [N, F]
///   where gradients are recorded.
///
/// Saves: x, and W₁·LayerNorm(x) + b₁: computing it again would cost 2·N·E·F operations, a seventh
/// of the block.
package func feedForward(
  _ x: Tensor, norm: Norm, inner: (weight: Tensor, bias: Tensor),
  outer: (weight: Tensor, bias: Tensor), activation: Activation = .gelu,
  dropout: (inner: Dropout, outer: Dropout) = (.none, .none), precision: Precision = .fp32
) -> Tensor {
  let block = FeedForwardBlock(
    x: x, norm: norm, first: LinearMap("feedForward", x, inner.weight, inner.bias, precision),
    outer: outer, activation: activation, innerDropout: dropout.inner, outerDropout: dropout.outer)
  let y = Tensor(shape: x.shape, storage: Storage(count: x.storage.count))
  let parameters = [norm.scale, norm.shift, inner.weight, inner.bias, outer.weight, outer.bias]
  let records = ([x] + parameters).contains { $0.node != nil }
  let arguments = records ? Storage(count: x.rowCapacity * inner.bias.count) : nil
  block.measure("feed-forward", products: 2) { block.forward(into: y, arguments) }
  let saved = arguments.map { [$0] } ?? []
  return y.recorded("feed-forward", from: [x] + parameters, saving: saved) { dy in
    guard let arguments else { return }
    block.measure("feed-forward backward", products: 4) { block.backward(dy, arguments) }
    x.node?.accept(dy, count: x.count)
  }
}

private struct FeedForwardBlock {
  let x: Tensor
  let norm: Norm
  let first: LinearMap
  let outer: (weight: Tensor, bias: Tensor)
  let activation: Activation
  let innerDropout: Dropout
  let outerDropout: Dropout
  private let width: Int
  private let hidden: Int
  private let slices: Slices
  /// Rows of a tile: more where weights and gradients are large, since every tile passes over them.
  private let rowsPerTile: Int

  init(
    x: Tensor, norm: Norm, first: LinearMap, outer: (weight: Tensor, bias: Tensor),
    activation: Activation, innerDropout: Dropout, outerDropout: Dropout
  ) {
    self.x = x
    self.norm = norm
    self.first = first
    self.outer = outer
    self.activation = activation
    self.innerDropout = innerDropout
    self.outerDropout = outerDropout
    width = first.inputs
    hidden = first.outputs
    slices = Slices(total: hidden, rows: x.rowCapacity)
    rowsPerTile = 2 * width * hidden > 1 << 17 ? 2 * tileRows : tileRows
    precondition(
      outer.weight.shape == [width, hidden] && outer.bias.count == width,
      "feedForward: outer weight \(outer.weight.shape) for inner weight \(first.weight.shape)")
  }

  func measure(_ name: String, products: Int, _ kernel: () -> Void) {
    Profiler.shared.measure(
      name, flops: products * 2 * x.rows * width * hidden,
      bytes: 4 * (x.rows * width * (products + 1) + 2 * width * hidden), kernel)
  }

  /// - Parameter arguments: where the arguments of the activation are kept.
  func forward(into y: Tensor, _ arguments: Storage?) {
    let packed = (
      inner: first.packedForward(), outer: PackedWeight.forward(outer.weight, first.precision)
    )
    let outerSlices = (0..<slices.count).map { packed.outer.rows(slices[$0]) }
    parallel(x.rows, by: rowsPerTile) { rows, workspace in
      let count = rows.count
      let from = x.pointer + rows.lowerBound * width
      let normalized = workspace.floats(count * width)
      norm.tile.forward(from, count, into: normalized)
      let left = packed.inner.left(normalized, count, workspace)
      let inside = workspace.floats(count * slices.width)
      let out = y.pointer + rows.lowerBound * width
      var prefetching = PrefetchCursor(from + count * width, count: count * width)
      for slice in 0..<slices.count {
        let columns = slices[slice]
        let argument = arguments.map { slices.place(slice, rows.lowerBound, in: $0) } ?? inside
        packed.inner.columns(columns).multiply(
          left, count, into: argument, prefetching: prefetching)
        addBias(first.bias.map { $0.pointer + columns.lowerBound }, argument, count, columns.count)
        activation.apply(argument, into: inside, count: count * columns.count)
        dropInner(inside, count, columns, firstRow: rows.lowerBound)
        outerSlices[slice].multiply(
          inside, count, into: out, workspace, accumulate: slice > 0)
        prefetching = .none
      }
      addBias(outer.bias.pointer, out, count, width)
      if outerDropout.isActive {
        applyDropout(outerDropout, out, count, width, firstRow: rows.lowerBound, into: out)
      }
      for i in 0..<count * width { out[i] += from[i] }
    }
  }

  /// Adds the branch's part to dy in place, so that it becomes the gradient of x.
  func backward(_ dy: Storage, _ arguments: Storage) {
    let packed = (
      inner: first.packedBackward(), outer: PackedWeight.backward(outer.weight, first.precision)
    )
    let outerSums = first.sumCount
    let outerBiasSums = outerSums + width * hidden
    first.reduceGradients(
      rowsPerTile: rowsPerTile,
      extra: [
        (width * hidden, outer.weight.node?.target()), (width, outer.bias.node?.target()),
        (width, norm.scale.node?.target()), (width, norm.shift.node?.target()),
      ]
    ) { rows, start, sums, workspace in
      let count = rows * width
      let (dyTile, xTile) = (dy.pointer + start * width, x.pointer + start * width)
      let normTile = NormWorkspace(norm, xTile, rows, workspace)
      let dBranch = applyingDropout(
        outerDropout, dyTile, rows, width, firstRow: start, workspace)
      let dNormalized = workspace.floats(count)
      let tile = FeedForwardTile(
        rows: rows, start: start,
        normalized: gradientPanels(
          normTile.output, width, rows: rows, first.precision, workspace),
        dBranch: packed.outer.left(dBranch, rows, workspace),
        dBranchColumns: .transpose(
          dBranch, row: width, rows: rows, columns: width, isCopied: rowsPerTile > tileRows,
          first.precision.ofGradients, workspace),
        slice: slices.width, workspace)
      for slice in 0..<slices.count {
        let isLast = slice + 1 == slices.count
        addGradients(
          slice, of: tile, packed.outer, slices.place(slice, start, in: arguments), into: sums,
          workspace,
          prefetching: (
            PrefetchCursor(
              slices.place(isLast ? 0 : slice + 1, isLast ? start + rows : start, in: arguments),
              count: rows * slices.width),
            isLast ? PrefetchCursor(xTile + count, count: count) : .none
          ))
        packed.inner.rows(slices[slice]).multiply(
          tile.dInside, row: tile.insideRow, rows, into: dNormalized, workspace,
          accumulate: slice > 0,
          prefetching: isLast ? PrefetchCursor(dyTile + count, count: count) : .none)
      }
      addColumnSums(dBranch, rows, width, into: sums + outerBiasSums)
      normTile.backward(
        dNormalized, rows, into: (dyTile, true), sums: sums + outerBiasSums + width, workspace)
    }
  }

  /// A slice's part of dW₂, dW₁ and db₁; leaves the gradient of its arguments in the tile's `dInside`.
  private func addGradients(
    _ slice: Int, of tile: FeedForwardTile, _ packedOuter: PackedWeight,
    _ argument: UnsafePointer<Float>, into sums: UnsafeMutablePointer<Float>,
    _ workspace: Workspace,
    prefetching: (first: PrefetchCursor, second: PrefetchCursor)
  ) {
    let mark = workspace.mark
    defer { workspace.rewind(to: mark) }
    let columns = slices[slice]
    let (rows, count, insideRow) = (tile.rows, tile.rows * columns.count, tile.insideRow)
    activation.applyKeepingSlope(argument, value: tile.inside, slope: tile.slope, count: count)
    dropInner(tile.inside, rows, columns, firstRow: tile.start)
    dropInner(tile.slope, rows, columns, firstRow: tile.start)
    gemm(
      rows: width, columns: columns.count, inner: rows,
      tile.dBranchColumns,
      gradientPanels(tile.inside, columns.count, rows: rows, first.precision, workspace),
      into: sums + first.sumCount + columns.lowerBound, stride: hidden, accumulate: true,
      prefetching: prefetching.first)
    packedOuter.columns(columns).multiply(
      tile.dBranch, rows, into: tile.dInside, row: insideRow, prefetching: prefetching.second)
    tile.applySlope(columns.count)
    gemm(
      rows: columns.count, columns: width, inner: rows,
      .transpose(
        tile.dInside, row: insideRow, rows: rows, columns: columns.count,
        first.precision.ofGradients, workspace),
      tile.normalized, into: sums + columns.lowerBound * width, stride: width, accumulate: true)
    if first.bias != nil {
      addColumnSums(
        tile.dInside, row: insideRow, rows, columns.count,
        into: sums + hidden * width + columns.lowerBound)
    }
  }

  /// Drops elements of a slice's activations, or of their slopes, in place.
  private func dropInner(
    _ inside: UnsafeMutablePointer<Float>, _ rows: Int, _ columns: Range<Int>, firstRow: Int
  ) {
    guard innerDropout.isActive else { return }
    applyDropout(
      innerDropout, inside, rows, columns.count, firstRow: firstRow,
      firstColumn: columns.lowerBound, into: inside)
  }
}

/// The inner width cut into slices, so that the part of the weights and of their gradients that a
/// slice needs stays in the second-level cache while all rows of a tile pass over it.
private struct Slices {
  /// The whole width, F.
  let total: Int
  /// Rows of the whole matrix.
  let rows: Int

  var width: Int { min(total, 128) }
  var count: Int { (total + 127) / 128 }

  subscript(slice: Int) -> Range<Int> { slice * width..<min(total, (slice + 1) * width) }

  /// Where a slice's rows from `row` on lie in a matrix that is kept slice after slice.
  func place(_ slice: Int, _ row: Int, in storage: Storage) -> UnsafeMutablePointer<Float> {
    storage.pointer + self[slice].lowerBound * rows + row * self[slice].count
  }
}

/// What the slices of a tile of rows share in the backward pass, and their scratch memory.
private struct FeedForwardTile {
  let rows: Int
  /// The number of the first row.
  let start: Int
  /// LayerNorm(x), [rows, E].
  let normalized: Panels
  /// The gradient of the branch, [rows, E], and its transpose.
  let dBranch, dBranchColumns: StridedMatrix
  /// drop₁(f(argument)) and the slope of that, [rows, a slice].
  let inside, slope: UnsafeMutablePointer<Float>
  /// The gradient of the argument, in rows of `insideRow` floats.
  let dInside: UnsafeMutablePointer<Float>
  let insideRow: Int

  init(
    rows: Int, start: Int, normalized: Panels,
    dBranch: StridedMatrix, dBranchColumns: StridedMatrix, slice: Int, _ workspace: Workspace
  ) {
    self.rows = rows
    self.start = start
    self.normalized = normalized
    self.dBranch = dBranch
    self.dBranchColumns = dBranchColumns
    inside = workspace.floats(rows * slice)
    slope = workspace.floats(rows * slice)
    insideRow = paddedStride(slice)
    dInside = workspace.floats(rows * insideRow)
  }

  /// Multiplies the gradient of a slice's activations, of so many columns, by their slopes.
  func applySlope(_ columns: Int) {
    for r in 0..<rows {
      let (to, factors) = (dInside + r * insideRow, slope + r * columns)
      for j in 0..<columns { to[j] *= factors[j] }
    }
  }
}
