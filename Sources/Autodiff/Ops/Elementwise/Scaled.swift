// SPDX-License-Identifier: Apache-2.0

/// y = s·x for a number s that is not trained.
///
/// - Parameter x: any shape.
/// - Returns: of the same shape.
/// - Complexity: O(numbers).
///
/// Saves: nothing. The pullback is dx = s·dy.
package func scaled(_ x: Tensor, by factor: Float) -> Tensor {
  let result = Storage(count: x.storage.count)
  profileRows("scaled", x, passes: 2) {
    parallel(x.count, by: 1 << 12) { range, _ in
      scaleRow(
        x.pointer + range.lowerBound, count: range.count, by: factor,
        into: result.pointer + range.lowerBound)
    }
  }
  return Tensor(shape: x.shape, storage: result).recorded("scaled", from: x) { dy in
    profileRows("scaled backward", x, passes: 2) {
      parallel(x.count, by: 1 << 12) { range, _ in
        let d = dy.pointer + range.lowerBound
        scaleRow(d, count: range.count, by: factor, into: d)
      }
    }
    x.node?.accept(dy, count: x.count)
  }
}
