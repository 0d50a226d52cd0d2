// SPDX-License-Identifier: Apache-2.0

/// Every head's rows at length 1: y = x/√(‖x‖² + D·ε).
///
/// - Parameters:
///   - x: heads of width D.
///   - epsilon: ε, which keeps a row of zeros zero.
/// - Returns: [N, H·D].
/// - Complexity: O(N·H·D).
///
/// Saves: x. The pullback is dx = (dy - y·(y·dy))/√(‖x‖² + D·ε).
package func unitRows(_ x: HeadsView, epsilon: Float = 1e-6) -> Tensor {
  let kernel = UnitRows(x: x, epsilon: epsilon)
  let columns = x.count * x.width
  let y = Tensor(
    shape: [x.tensor.rows, columns], storage: Storage(count: x.tensor.rowCapacity * columns))
  kernel.measure("unit rows", passes: 2) { kernel.forward(into: y) }
  return y.recorded("unit rows", from: x.tensor) { dy in
    kernel.measure("unit rows backward", passes: 3) { kernel.backward(dy) }
  }
}

private struct UnitRows {
  let x: HeadsView
  let epsilon: Float

  func measure(_ name: String, passes: Int, _ kernel: () -> Void) {
    let elements = x.tensor.rows * x.count * x.width
    Profiler.shared.measure(
      name, flops: (2 * passes - 1) * elements, bytes: 4 * passes * elements, kernel)
  }

  /// 1/√(‖x‖² + D·ε) of one row.
  private func inverseLength(_ row: UnsafePointer<Float>) -> Float {
    1 / (innerProduct(row, row, count: x.width) + Float(x.width) * epsilon).squareRoot()
  }

  func forward(into y: Tensor) {
    parallel(x.tensor.rows, by: tileRows) { rows, _ in
      for row in rows {
        for head in 0..<x.count {
          let (from, to) = (
            x.pointer(row, head), y.pointer + row * y.columns + head * x.width
          )
          prefetch(from + tileRows * x.stride, count: x.width)
          scaleRow(from, count: x.width, by: inverseLength(from), into: to)
        }
      }
    }
  }

  func backward(_ dy: Storage) {
    let targets = HeadTargets([x])
    let columns = x.count * x.width
    parallel(x.tensor.rows, by: tileRows) { rows, _ in
      for row in rows {
        for head in 0..<x.count {
          let (from, d) = (x.pointer(row, head), dy.pointer + row * columns + head * x.width)
          prefetch(from + tileRows * x.stride, count: x.width)
          prefetch(d + tileRows * columns, count: x.width)
          let scale = inverseLength(from)
          let along = innerProduct(from, d, count: x.width) * scale * scale
          for j in 0..<x.width { d[j] -= from[j] * along }
          targets.write(d, row: columns, rows: row..<row + 1, x, head, factor: scale)
        }
      }
    }
  }
}
