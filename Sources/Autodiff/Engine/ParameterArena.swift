// SPDX-License-Identifier: Apache-2.0

/// The values of all weights in one buffer and their gradients in another.
///
/// Clipping, the optimizer's step and saving are one loop or one write each.
package final class ParameterArena {
  /// Floats, including the few that align each weight to 64 bytes.
  package let count: Int
  let values: Storage
  let gradients: Storage
  private var leaves: [Int: Node] = [:]

  /// Zeros.
  package init(count: Int) {
    self.count = count
    values = Storage(count: count)
    gradients = Storage(count: count)
    values.clear()
    gradients.clear()
  }

  /// A weight as operations take it; its gradient goes to the same place of the gradient buffer.
  package func tensor(_ range: Range<Int>, _ shape: [Int], tracked: Bool) -> Tensor {
    let storage = Storage(slice: values, from: range.lowerBound, count: range.count)
    return Tensor(shape: shape, storage: storage, node: tracked ? leaf(range) : nil)
  }

  private func leaf(_ range: Range<Int>) -> Node {
    if let leaf = leaves[range.lowerBound] { return leaf }
    let leaf = Node(
      leaf: "parameter", elements: range.count,
      gradient: Storage(slice: gradients, from: range.lowerBound, count: range.count))
    leaves[range.lowerBound] = leaf
    return leaf
  }

  /// Replaces the values of one weight.
  ///
  /// - Precondition: there is a value for each place.
  package func fill(_ range: Range<Int>, _ newValues: [Float]) {
    precondition(
      newValues.count == range.count, "arena: \(newValues.count) values for \(range.count)")
    (values.pointer + range.lowerBound).update(from: newValues, count: range.count)
  }

  /// The values of one weight.
  package func values(_ range: Range<Int>) -> [Float] {
    Array(UnsafeBufferPointer(start: values.pointer + range.lowerBound, count: range.count))
  }

  /// The gradient of one weight.
  package func gradient(_ range: Range<Int>) -> [Float] {
    Array(UnsafeBufferPointer(start: gradients.pointer + range.lowerBound, count: range.count))
  }

  /// Lends the values of all weights, for another process to have the same.
  package func withValues(_ body: (UnsafeMutableBufferPointer<Float>) -> Void) {
    body(UnsafeMutableBufferPointer(start: values.pointer, count: count))
  }

  /// Lends all gradients, zeros where there was no contribution, for those of other processes to be
  /// added.
  package func withGradients(_ body: (UnsafeMutableBufferPointer<Float>) -> Void) {
    completeGradients()
    body(UnsafeMutableBufferPointer(start: gradients.pointer, count: count))
  }

  /// Makes the next contribution to each gradient replace what is there.
  ///
  /// Gradients that get none until ``completeGradients()`` become zero then.
  package func clearGradients() { leaves.values.forEach { $0.clearGradient() } }

  /// Sets the gradients to zero that received no contribution since they were cleared.
  package func completeGradients() {
    for leaf in leaves.values where !leaf.hasGradient {
      leaf.target().pointer.update(repeating: 0, count: leaf.elementCount)
    }
  }

  /// The Euclidean norm of all gradients, added in a fixed order.
  package func gradientNorm() -> Double {
    var squares = 0.0
    for leaf in leaves.sorted(by: { $0.key < $1.key }) {
      squares += sumOfSquares(gradients.pointer + leaf.key, leaf.value.elementCount)
    }
    return squares.squareRoot()
  }

  private func sumOfSquares(_ x: UnsafePointer<Float>, _ count: Int) -> Double {
    var sum = 0.0
    for block in stride(from: 0, to: count, by: 1024) {
      var lanes = Lanes()
      var i = block
      let end = min(count, block + 1024)
      while i + laneCount <= end {
        let v = load(x + i)
        lanes.addProduct(v, v)
        i += laneCount
      }
      if i < end {
        let v = load(x + i, count: end - i)
        lanes.addProduct(v, v)
      }
      sum += Double(horizontalSum(lanes))
    }
    return sum
  }
}
