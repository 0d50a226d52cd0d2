// SPDX-License-Identifier: Apache-2.0

/// One of the parts that ``joinHeads(_:)`` puts side by side.
package struct HeadPart {
  let heads: HeadsView
  private let scale: Float
  let factor: Tensor?

  /// scale·factor·heads.
  ///
  /// - Parameter factor: [1].
  package init(_ heads: HeadsView, scale: Float = 1, factor: Tensor? = nil) {
    self.heads = heads
    self.scale = scale
    self.factor = factor
    precondition(
      (factor?.count ?? 1) == 1, "joinHeads: a factor of shape \(factor?.shape ?? [])")
  }

  var isPlain: Bool { scale == 1 && factor == nil }
  var multiplier: Float { scale * (factor?.pointer[0] ?? 1) }

  /// Writes the part's columns of one row and head.
  func write(_ row: Int, _ head: Int, to target: UnsafeMutablePointer<Float>) {
    let multiplier = multiplier
    let from = heads.pointer(row, head)
    scaleRow(from, count: heads.width, by: multiplier, into: target)
  }

  /// What one row and head contribute to the gradient of the factor.
  func factorGradient(_ row: Int, _ head: Int, _ dy: UnsafePointer<Float>) -> Float {
    scale * innerProduct(heads.pointer(row, head), dy, count: heads.width)
  }
}

/// The heads of several tensors side by side, each part multiplied by a number.
///
/// ```
/// y[n, h] = [f₁·x₁[n, h], f₂·x₂[n, h], …]
/// ```
/// Products of joined queries with joined keys are sums of the parts' products.
///
/// - Parameter parts: of one number of rows and of heads.
/// - Returns: heads of width ΣDᵢ, [N, H·ΣDᵢ]; a single part that nothing multiplies as it is.
/// - Complexity: O(N·H·ΣDᵢ) time and memory.
///
/// Saves: the parts.
package func joinHeads(_ parts: [HeadPart]) -> HeadsView {
  if parts.count == 1 && parts[0].isPlain { return parts[0].heads }
  let kernel = JoinKernel(parts)
  let y = Tensor(
    shape: [kernel.rows, kernel.columns], storage: Storage(count: kernel.capacity * kernel.columns))
  kernel.measure("join heads") { kernel.forward(into: y) }
  let inputs = parts.flatMap { [$0.heads.tensor, $0.factor] }
  let joined = y.recorded("join heads", from: inputs) { dy in
    kernel.measure("join heads backward") { kernel.backward(dy) }
  }
  return HeadsView(joined, count: kernel.heads, width: kernel.width)
}

private struct JoinKernel {
  private let parts: [HeadPart]
  let heads: Int
  let width: Int
  let rows: Int
  let capacity: Int
  var columns: Int { heads * width }

  init(_ parts: [HeadPart]) {
    let views = parts.map(\.heads)
    precondition(!views.isEmpty, "joinHeads: no heads to join")
    precondition(
      views.allSatisfy {
        $0.count == views[0].count && $0.tensor.rows == views[0].tensor.rows
      }, "joinHeads: \(views.map(\.tensor.shape)) differ in rows or in heads \(views.map(\.count))")
    self.parts = parts
    heads = views[0].count
    rows = views[0].tensor.rows
    capacity = views[0].tensor.rowCapacity
    width = views.reduce(0) { $0 + $1.width }
  }

  func measure(_ name: String, _ kernel: () -> Void) {
    Profiler.shared.measure(name, flops: rows * columns, bytes: 8 * rows * columns, kernel)
  }

  /// Calls `body(index of the part, part, first column)` for all parts of one head.
  private func forEachPart(_ head: Int, _ body: (Int, HeadPart, Int) -> Void) {
    var column = head * width
    for (index, part) in parts.enumerated() {
      body(index, part, column)
      column += part.heads.width
    }
  }

  func forward(into y: Tensor) {
    parallel(rows, by: tileRows) { range, _ in
      for head in 0..<heads {
        forEachPart(head) { _, part, column in
          for row in range { part.write(row, head, to: y.pointer + row * columns + column) }
        }
      }
    }
  }

  func backward(_ dy: Storage) {
    let targets = HeadTargets(parts.map(\.heads))
    let sums = DeterministicReduction(rows: rows, sum: parts.count).sums(parts.count) {
      rows, sums, _ in
      for head in 0..<heads {
        forEachPart(head) { index, part, column in
          add(rows, head, part, dy.pointer + column, targets, &sums[index])
        }
      }
    }
    for (index, part) in parts.enumerated() {
      if let target = part.factor?.node?.target() { sums.reduce(index, 1, into: target) }
    }
  }

  private func add(
    _ range: Range<Int>, _ head: Int, _ part: HeadPart, _ dy: UnsafePointer<Float>,
    _ targets: HeadTargets, _ sum: inout Float
  ) {
    let from = dy + range.lowerBound * columns
    targets.write(from, row: columns, rows: range, part.heads, head, factor: part.multiplier)
    guard part.factor?.node != nil else { return }
    for (r, row) in range.enumerated() {
      sum += part.factorGradient(row, head, from + r * columns)
    }
  }
}
