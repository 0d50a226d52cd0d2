// SPDX-License-Identifier: Apache-2.0

/// A contiguous, row-major array of floats, with its place on the tape if gradients flow to it.
///
/// Activations are *packed*: the first dimension counts the real tokens of all sequences of a
/// batch, back to back (see ``PackedSequences``), so padding costs neither time nor memory. Their buffers
/// are allocated for the padded batch, which keeps sizes and addresses the same from step to step.
package struct Tensor {
  /// The extent of each dimension.
  package let shape: [Int]
  let storage: Storage
  let node: Node?

  /// The number of elements.
  package let count: Int
  /// The extent of the first dimension.
  package var rows: Int { shape[0] }
  /// Elements per row: the product of all dimensions but the first.
  package let columns: Int
  /// Rows that the buffer has room for.
  var rowCapacity: Int { storage.count / max(columns, 1) }
  var pointer: UnsafeMutablePointer<Float> { storage.pointer }

  init(shape: [Int], storage: Storage, node: Node? = nil) {
    self.shape = shape
    self.storage = storage
    self.node = node
    columns = shape.dropFirst().reduce(1, *)
    count = shape.reduce(1, *)
    precondition(
      count <= storage.count, "tensor: shape \(shape) needs more than \(storage.count) floats")
  }

  /// A constant with the given values.
  ///
  /// - Precondition: `values.count` is the product of `shape`.
  package init(shape: [Int], _ values: [Float]) {
    precondition(
      values.count == shape.reduce(1, *), "tensor: \(values.count) values for shape \(shape)")
    self.init(shape: shape, storage: Storage(count: values.count))
    pointer.update(from: values, count: values.count)
  }

  /// The values, copied out.
  package var values: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

  /// The value of a tensor with one element.
  package var scalar: Float {
    precondition(count == 1, "scalar: shape \(shape) has \(count) elements")
    return pointer[0]
  }

  /// The same values, and the same gradient, in another shape.
  ///
  /// - Precondition: it holds as many.
  package func reshaped(_ shape: [Int]) -> Tensor {
    precondition(shape.reduce(1, *) == count, "reshaped: \(self.shape) to \(shape)")
    return Tensor(shape: shape, storage: storage, node: node)
  }

  /// The same values as a constant: gradients stop here.
  package var detached: Tensor { Tensor(shape: shape, storage: storage) }

  /// The same values as a leaf that collects a gradient.
  package var tracked: Tensor {
    Tensor(shape: shape, storage: storage, node: Node(leaf: "leaf", elements: storage.count))
  }

  /// The gradient collected so far, for a ``tracked`` tensor or a parameter; zeros if none arrived.
  package var gradient: Tensor? {
    guard let node else { return nil }
    guard let gradient = node.gradient, node.hasGradient else {
      return Tensor(shape: shape, [Float](repeating: 0, count: count))
    }
    return Tensor(shape: shape, storage: gradient)
  }
}
