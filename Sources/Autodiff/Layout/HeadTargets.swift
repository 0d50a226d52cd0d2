// SPDX-License-Identifier: Apache-2.0

/// The gradients of the heads of one operation.
struct HeadTargets {
  private var targets: [(node: Node, column: Int, target: GradientTarget)] = []

  /// Columns of a tensor that no head covers get no gradient from this operation; columns that several
  /// heads cover get the sum.
  init(_ heads: [HeadsView]) {
    for (index, view) in heads.enumerated() {
      guard let node = view.tensor.node else { continue }
      var target = node.target(columns: view.columns, of: view.tensor.columns)
      let others = heads[..<index] + heads[(index + 1)...]
      if others.contains(where: { $0.tensor.node === node && $0.columns.overlaps(view.columns) }) {
        if !target.accumulate {
          clearColumns(view.columns, of: view.stride, in: target.pointer, rows: view.tensor.rows)
        }
        target = GradientTarget(pointer: target.pointer, accumulate: true)
      }
      targets.append((node, view.column, target))
    }
  }

  /// Stores or adds `factor` times a block of rows of one head.
  func write(
    _ source: UnsafePointer<Float>, row sourceRow: Int, rows: Range<Int>, _ view: HeadsView,
    _ head: Int, factor: Float = 1
  ) {
    guard let target = target(view, head) else { return }
    for (i, row) in rows.enumerated() {
      target.write(source + i * sourceRow, to: row, factor: factor)
    }
  }

  /// Where the gradient of one head goes, if it has one.
  func target(_ view: HeadsView, _ head: Int) -> HeadTarget? {
    guard let node = view.tensor.node,
      let target = targets.first(where: { $0.node === node && $0.column == view.column })?.target
    else { return nil }
    return HeadTarget(
      base: target.pointer + view.column + head * view.width, stride: view.stride,
      width: view.width, accumulate: target.accumulate)
  }
}

/// The gradient of one head.
struct HeadTarget {
  /// The first element of the first row.
  let base: UnsafeMutablePointer<Float>
  /// Floats from one row to the next.
  let stride: Int
  let width: Int
  let accumulate: Bool

  /// Stores or adds `factor` times a row.
  @inline(__always)
  func write(_ source: UnsafePointer<Float>, to row: Int, factor: Float) {
    let to = base + row * stride
    prefetch(to + tileRows * stride, count: width)
    forLanes(0..<width) { j, count in
      var value = load(source + j, count: count) * factor
      if accumulate { value += load(to + j, count: count) }
      store(value, to + j, count: count)
    }
  }

  /// A row to which the operation gives nothing.
  func writeZeros(to row: Int) {
    if !accumulate { (base + row * stride).update(repeating: 0, count: width) }
  }
}
