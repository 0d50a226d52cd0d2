// SPDX-License-Identifier: Apache-2.0

/// The rows of several matrices of one width, one matrix after the other.
///
/// Used on weights, so that query, key and value come from one product.
///
/// - Parameter parts: [Rᵢ, C] each.
/// - Returns: [ΣRᵢ, C].
/// - Complexity: O(ΣRᵢ·C).
package func stacked(_ parts: [Tensor]) -> Tensor {
  precondition(!parts.isEmpty, "stacked: nothing to stack")
  let columns = parts[0].columns
  precondition(
    parts.allSatisfy { $0.columns == columns }, "stacked: widths \(parts.map(\.shape)) differ")
  let rows = parts.reduce(0) { $0 + $1.rows }
  let y = Tensor(shape: [rows, columns], storage: Storage(count: rows * columns))
  profileCopy("stack", y.count) {
    var offset = 0
    for part in parts {
      (y.pointer + offset).update(from: part.pointer, count: part.count)
      offset += part.count
    }
  }
  return y.recorded("stack", from: parts) { dy in
    profileCopy("stack backward", y.count) {
      var offset = 0
      for part in parts {
        if let target = part.node?.target() {
          combine(dy.pointer + offset, count: part.count, into: target)
        }
        offset += part.count
      }
    }
  }
}
