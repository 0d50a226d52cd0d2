// SPDX-License-Identifier: Apache-2.0

/// What all operations with a linear map in them share: checked shapes, the product with its bias,
/// and the sums over rows that are the gradients of weight and bias.
struct LinearMap {
  let x: Tensor
  let weight: Tensor
  let bias: Tensor?
  let inputs: Int
  let outputs: Int
  /// Of the operands of its products.
  let precision: Precision

  /// Checks the shapes, naming the operation in the message.
  ///
  /// - Parameter groups: the input's blocks of columns, each of which has its own rows of the weight.
  init(
    _ name: String, _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, groups: Int = 1,
    _ precision: Precision
  ) {
    precondition(weight.shape.count == 2, "\(name): weight \(weight.shape) is not a matrix")
    precondition(
      x.columns == groups * weight.shape[1] && weight.shape[0] % groups == 0,
      "\(name): input \(x.shape) does not end in weight width \(weight.shape[1])"
        + (groups == 1 ? "" : " for each of \(groups) groups"))
    if let bias {
      precondition(
        bias.count == weight.shape[0], "\(name): bias \(bias.shape) for weight \(weight.shape)")
    }
    self.x = x
    self.weight = weight
    self.bias = bias
    inputs = weight.shape[1]
    outputs = weight.shape[0]
    self.precision = precision
  }

  /// The weight, packed for ``forward(_:_:_:into:_:prefetching:)``.
  func packedForward() -> PackedWeight { .forward(weight, precision) }
  /// The weight, packed for dy·W.
  func packedBackward() -> PackedWeight { .backward(weight, precision) }

  /// y = x·Wᵀ + b for a tile of rows; `prefetching` runs meanwhile.
  func forward(
    _ packed: PackedWeight, _ x: UnsafePointer<Float>, _ rows: Int,
    into y: UnsafeMutablePointer<Float>, _ workspace: Workspace,
    prefetching: PrefetchCursor = .none
  ) {
    packed.multiply(x, rows, into: y, workspace, prefetching: prefetching)
    addBias(bias?.pointer, y, rows, outputs)
  }

  /// Floats of one piece's sums: dW, then db.
  var sumCount: Int { outputs * inputs + (bias == nil ? 0 : outputs) }

  /// Adds a tile's dyᵀ·x and column sums of dy; `prefetching` runs meanwhile.
  func addGradients(
    _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>, _ rows: Int,
    into sums: UnsafeMutablePointer<Float>, _ workspace: Workspace,
    prefetching: PrefetchCursor = .none
  ) {
    addWeightGradient(
      dy, outputs, x, inputs, rows, into: sums, precision, workspace, prefetching: prefetching)
    if bias != nil { addColumnSums(dy, rows, outputs, into: sums + outputs * inputs) }
  }

  /// Rows of a tile of the backward pass: more where the weight and its gradient leave the second-level
  /// cache, since every tile passes over them.
  private var rowsPerTile: Int { outputs * inputs < 1 << 18 ? tileRows : 4 * tileRows }

  /// Runs `tile(rows, first row, sums, workspace)` over all rows and stores what the sums add up to.
  ///
  /// - Parameters:
  ///   - rowsPerTile: rows of a tile; nil for what suits the weight.
  ///   - extra: floats of sums that the caller keeps behind dW and db, and where they go.
  func reduceGradients(
    rowsPerTile: Int? = nil, extra: [(count: Int, target: GradientTarget?)] = [],
    tile: (Int, Int, UnsafeMutablePointer<Float>, Workspace) -> Void
  ) {
    let size = sumCount + extra.reduce(0) { $0 + $1.count }
    let pieces = DeterministicReduction(
      rows: x.rows, sum: size, tile: rowsPerTile ?? self.rowsPerTile)
    let partial = pieces.sums(size) { rows, sums, workspace in
      tile(rows.count, rows.lowerBound, sums, workspace)
    }
    store(partial, extra)
  }

  private func store(
    _ partial: PartialSums, _ extra: [(count: Int, target: GradientTarget?)]
  ) {
    if let target = weight.node?.target() { partial.reduce(0, outputs * inputs, into: target) }
    if let target = bias?.node?.target() {
      partial.reduce(outputs * inputs, outputs, into: target)
    }
    var offset = sumCount
    for (count, target) in extra {
      if let target { partial.reduce(offset, count, into: target) }
      offset += count
    }
  }

  /// Enters `products` products of this size, reading x and writing y, under the name.
  func measure(_ name: String, products: Int, _ kernel: () -> Void) {
    Profiler.shared.measure(
      name, flops: products * 2 * x.rows * inputs * outputs,
      bytes: 4 * (x.rows * (x.columns + outputs) * products + inputs * outputs), kernel)
  }
}
