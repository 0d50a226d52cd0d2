// SPDX-License-Identifier: Apache-2.0

/// x itself; on the way back, tells the product of every unit of every sequence with its gradient.
///
/// ```
/// p[s, u] = Σ over the rows of s and the columns of u of x ⊙ dy
/// ```
/// That is the derivative of the loss by a factor of unit u in sequence s, where that factor is 1.
///
/// - Parameters:
///   - x: [N, U·width].
///   - width: columns of a unit.
///   - visit: gets p, [S·U], once for each backward pass.
/// - Returns: [N, U·width].
/// - Complexity: O(N·U·width).
///
/// Saves: x. The gradient is handed on as it is.
package func unitProducts(
  _ x: Tensor, sequences: PackedSequences, width: Int, visit: @escaping ([Double]) -> Void
) -> Tensor {
  precondition(
    x.columns % width == 0 && x.rows == sequences.rows,
    "unitProducts: \(x.shape) with units of \(width) columns")
  let y = Tensor(shape: x.shape, storage: Storage(count: x.storage.count))
  profileCopy("unit products", x.count) { y.pointer.update(from: x.pointer, count: x.count) }
  return y.recorded("unit products", from: x) { dy in
    let units = x.columns / width
    var products = [Double](repeating: 0, count: sequences.count * units)
    profileRows("unit products backward", x, passes: 2) {
      products.withUnsafeMutableBufferPointer { products in
        nonisolated(unsafe) let products = products
        parallel(sequences.count) { sequence, _ in
          for row in sequences.range(sequence) {
            for unit in 0..<units {
              let start = row * x.columns + unit * width
              products[sequence * units + unit] += dot(x.pointer + start, dy.pointer + start, width)
            }
          }
        }
      }
    }
    visit(products)
    x.node?.accept(dy, count: x.count)
  }
}

private func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) -> Double {
  (0..<count).reduce(0.0) { $0 + Double(a[$1]) * Double(b[$1]) }
}
