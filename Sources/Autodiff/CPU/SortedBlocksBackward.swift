extension SortedBlocksKernel {
  /// dx[l] = Σᵢ P[i, l]·dy[i] + the gradient of the block's own rows; dP[i, l] = Σ dy[i] ⊙ x[l],
  /// and what comes through w.
  func backward(_ dy: Storage) {
    let targets = HeadTargets([x])
    let dSorting = sorting.node?.target()
    forEachHead { layout, head, workspace in
      let from = dy.pointer + segments.offsets[layout.firstBlock] * columns
      let row = Panels.count(layout.count) * Panels.width
      let dMatrix = workspace.zeros(layout.mixedBlocks * row)
      let scratch = BlockScratch(layout, x.width, workspace)
      for group in stride(from: head, to: x.count, by: heads) {
        differentiate(
          layout, group, from + group * x.width, targets, dMatrix, row, scratch)
      }
      addValidity(layout, head, from + x.count * x.width + head, dMatrix, row)
      if let dSorting { write(dMatrix, row, layout, head, into: dSorting) }
    }
  }

  /// Contributes dx of one head, and adds to dP.
  private func differentiate(
    _ layout: BlockLayout, _ group: Int, _ dy: UnsafePointer<Float>, _ targets: HeadTargets,
    _ dMatrix: UnsafeMutablePointer<Float>, _ row: Int, _ scratch: BlockScratch
  ) {
    let (own, dOwn, dMixed) = (scratch.own, scratch.dOwn, scratch.dMixed)
    load(layout, group, into: own)
    collect(layout, dy, dOwn, dMixed)
    multiply(
      rows: layout.count, columns: dOwn.columns, inner: layout.mixedBlocks,
      StridedMatrix(base: matrix(layout, group % heads), row: 1, column: sorting.columns),
      dMixed.panels(from: 0), into: dOwn.base, row: dOwn.step, accumulate: true)
    let transposed = packTransposed(
      own.base, row: own.step, inner: own.columns, columns: layout.count,
      into: scratch.packed)
    multiply(
      rows: layout.mixedBlocks, columns: row, inner: own.columns, dMixed.left, transposed,
      into: dMatrix, row: row, accumulate: true)
    for block in 0..<layout.count {
      targets.write(
        dOwn.row(block, 0), row: dOwn.padded, rows: blocks.rows.range(layout.firstBlock + block), x,
        group)
    }
  }

  /// The gradients of the blocks' own rows, and those of mixed rows, summed over the blocks that
  /// share them.
  private func collect(
    _ layout: BlockLayout, _ dy: UnsafePointer<Float>, _ dOwn: BlockMatrix, _ dMixed: BlockMatrix
  ) {
    for block in 0..<layout.count {
      let from = dy + block * layout.blockStep * columns
      for (index, mixed) in mixedBlocks(layout, of: block).enumerated() {
        dMixed.write(
          from + index * layout.size * columns, columns, layout.size, to: mixed,
          accumulate: layout.isShared && block > 0)
      }
      dOwn.write(
        from + layout.mixedRows * columns, columns,
        block + 1 < layout.count ? layout.size : layout.last, to: block, accumulate: false)
    }
  }

  /// Adds what comes to dP through log(w + ε).
  private func addValidity(
    _ layout: BlockLayout, _ head: Int, _ dy: UnsafePointer<Float>,
    _ dMatrix: UnsafeMutablePointer<Float>, _ row: Int
  ) {
    for block in 0..<layout.count {
      let from = dy + block * layout.blockStep * columns
      for (index, mixed) in mixedBlocks(layout, of: block).enumerated() {
        let (full, part) = validity(matrix(layout, head) + mixed * sorting.columns, layout)
        var sums: (full: Float, part: Float) = (0, 0)
        for t in 0..<layout.size {
          let d = from[(index * layout.size + t) * columns]
          if t < layout.last { sums.full += d } else { sums.part += d }
        }
        let ofFull = sums.full / (full + epsilon)
        let ofPart = sums.part / (part + epsilon)
        let to = dMatrix + mixed * row
        for l in 0..<layout.count - 1 { to[l] += ofFull + ofPart }
        to[layout.count - 1] += ofFull
      }
    }
  }

  /// Stores or adds dP; columns and rows that no mixed block uses have none.
  private func write(
    _ dMatrix: UnsafePointer<Float>, _ row: Int, _ layout: BlockLayout, _ head: Int,
    into target: GradientTarget
  ) {
    let width = sorting.columns / heads
    for block in 0..<layout.count {
      let to = target.pointer + (layout.firstBlock + block) * sorting.columns + head * width
      if !target.accumulate { to.update(repeating: 0, count: width) }
      guard block < layout.mixedBlocks else { continue }
      for l in 0..<layout.count { to[l] += dMatrix[block * row + l] }
    }
  }
}

/// Room for the rows of one head of a sequence and for their gradients.
private struct BlockScratch {
  let own: BlockMatrix
  let dOwn: BlockMatrix
  let dMixed: BlockMatrix
  let packed: UnsafeMutablePointer<Float>

  init(_ layout: BlockLayout, _ width: Int, _ workspace: Workspace) {
    own = BlockMatrix(layout.count, layout.size, width, workspace)
    dOwn = BlockMatrix(layout.count, layout.size, width, workspace)
    dMixed = BlockMatrix(layout.mixedBlocks, layout.size, width, workspace)
    packed = workspace.floats(packedCount(inner: own.columns, columns: layout.count))
  }
}
