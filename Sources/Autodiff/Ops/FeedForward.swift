/// y = x + drop₂(W₂·drop₁(f(W₁·LayerNorm(x) + b₁)) + b₂): a whole pre-norm feed-forward block in one
/// pass over tiles of rows.
///
/// - Parameters:
///   - x: [N, E].
///   - norm: γ and β, [E].
///   - inner: W₁ [F, E] and b₁ [F].
///   - outer: W₂ [E, F] and b₂ [E].
///   - activation: f.
///   - dropout: drop₁ (after the activation) and drop₂ (before the residual sum).
/// - Returns: [N, E].
/// - Complexity: 4·N·E·F operations forward and 8·N·E·F backward. Memory: the result, and [N, F]
///   where gradients are recorded.
///
/// Saves: x, and W₁·LayerNorm(x) + b₁: computing it again would cost 2·N·E·F operations, a seventh
/// of the block.
public func feedForward(
  _ x: Tensor, norm: Norm, inner: (weight: Tensor, bias: Tensor),
  outer: (weight: Tensor, bias: Tensor), activation: Activation = .gelu,
  dropout: (inner: Dropout, outer: Dropout) = (.none, .none)
) -> Tensor {
  let block = FeedForwardBlock(
    x: x, norm: norm, first: LinearMap("feedForward", x, inner.weight, inner.bias),
    outer: outer, activation: activation, innerDropout: dropout.inner, outerDropout: dropout.outer)
  let y = Tensor(shape: x.shape, storage: Storage(count: x.storage.count))
  let parameters = [norm.scale, norm.shift, inner.weight, inner.bias, outer.weight, outer.bias]
  let records = ([x] + parameters).contains { $0.node != nil }
  let arguments = records ? Storage(count: x.rowCapacity * inner.bias.count) : nil
  block.measure("feed-forward", products: 2) { block.forward(into: y, arguments) }
  return y.recorded("feed-forward", from: [x] + parameters) { dy in
    guard let arguments else { return }
    block.measure("feed-forward backward", products: 4) { block.backward(dy, arguments) }
    x.node?.accept(dy, count: x.count)
  }
}

private struct FeedForwardBlock {
  let x: Tensor
  let norm: Norm
  let first: LinearMap
  let outer: (weight: Tensor, bias: Tensor)
  let activation: Activation
  let innerDropout: Dropout
  let outerDropout: Dropout
  private let width: Int
  private let hidden: Int

  init(
    x: Tensor, norm: Norm, first: LinearMap, outer: (weight: Tensor, bias: Tensor),
    activation: Activation, innerDropout: Dropout, outerDropout: Dropout
  ) {
    self.x = x
    self.norm = norm
    self.first = first
    self.outer = outer
    self.activation = activation
    self.innerDropout = innerDropout
    self.outerDropout = outerDropout
    width = first.inputs
    hidden = first.outputs
    precondition(
      outer.weight.shape == [width, hidden] && outer.bias.count == width,
      "feedForward: outer weight \(outer.weight.shape) for inner weight \(first.weight.shape)")
  }

  func measure(_ name: String, products: Int, _ kernel: () -> Void) {
    Meter.shared.measure(
      name, flops: products * 2 * x.rows * width * hidden,
      bytes: 4 * (x.rows * width * (products + 1) + 2 * width * hidden), kernel)
  }

  /// - Parameter arguments: where the arguments of the activation are kept.
  func forward(into y: Tensor, _ arguments: Storage?) {
    let w1 = PackedWeight.forward(first.weight)
    let w2 = PackedWeight.forward(outer.weight)
    parallel(x.rows, by: tileRows) { rows, workspace in
      let count = rows.count
      let from = x.pointer + rows.lowerBound * width
      let normalized = workspace.floats(count * width)
      norm.tile.forward(from, count, into: normalized)
      let inside = workspace.floats(count * hidden)
      let argument = arguments.map { $0.pointer + rows.lowerBound * hidden } ?? inside
      first.forward(
        w1, normalized, count, into: argument,
        ahead: Ahead(from + count * width, count: count * width))
      activation.apply(argument, into: inside, count: count * hidden)
      if innerDropout.isActive {
        drop(innerDropout, inside, count, hidden, firstRow: rows.lowerBound, into: inside)
      }
      let out = y.pointer + rows.lowerBound * width
      w2.multiply(inside, count, into: out)
      addBias(outer.bias.pointer, out, count, width)
      if outerDropout.isActive {
        drop(outerDropout, out, count, width, firstRow: rows.lowerBound, into: out)
      }
      for i in 0..<count * width { out[i] += from[i] }
    }
  }

  /// Adds the branch's part to dy in place, so that it becomes the gradient of x.
  func backward(_ dy: Storage, _ arguments: Storage) {
    let packed = (
      inner: PackedWeight.backward(first.weight), outer: PackedWeight.backward(outer.weight)
    )
    let outerSums = first.sumCount
    let normSums = outerSums + width * hidden + width
    first.reduceGradients(extra: [
      (width * hidden, outer.weight.node?.target()), (width, outer.bias.node?.target()),
      (width, norm.scale.node?.target()), (width, norm.shift.node?.target()),
    ]) { rows, start, sums, workspace in
      let (dyTile, xTile) = (dy.pointer + start * width, x.pointer + start * width)
      let tile = NormScratch(norm, xTile, rows, workspace)
      let inside = workspace.floats(rows * hidden)
      let slope = workspace.floats(rows * hidden)
      activation.applyKeepingSlope(
        arguments.pointer + start * hidden, value: inside, slope: slope, count: rows * hidden)
      let dBranch = dropped(outerDropout, dyTile, rows, width, firstRow: start, workspace)
      let (count, hiddenCount) = (rows * width, rows * hidden)
      addOuterGradients(
        dBranch, inside, rows, start, into: sums + outerSums, workspace,
        ahead: Ahead(arguments.pointer + start * hidden + hiddenCount, count: hiddenCount))
      let dInside = workspace.floats(hiddenCount)
      packed.outer.multiply(
        dBranch, rows, into: dInside, ahead: Ahead(xTile + count, count: count))
      if innerDropout.isActive {
        drop(innerDropout, dInside, rows, hidden, firstRow: start, into: dInside)
      }
      for i in 0..<rows * hidden { dInside[i] *= slope[i] }
      first.addGradients(
        dInside, tile.output, rows, into: sums, workspace,
        ahead: Ahead(dyTile + count, count: count))
      let dNormalized = workspace.floats(count)
      packed.inner.multiply(dInside, rows, into: dNormalized)
      tile.backward(dNormalized, into: (dyTile, true), sums: sums + normSums, workspace)
    }
  }

  /// dW₂ += dBranchᵀ·drop₁(inside) and db₂ += Σ dBranch; drops `inside` in place.
  private func addOuterGradients(
    _ dBranch: UnsafePointer<Float>, _ inside: UnsafeMutablePointer<Float>, _ rows: Int,
    _ start: Int, into sums: UnsafeMutablePointer<Float>, _ workspace: Workspace, ahead: Ahead
  ) {
    if innerDropout.isActive {
      drop(innerDropout, inside, rows, hidden, firstRow: start, into: inside)
    }
    addWeightGradient(dBranch, width, inside, hidden, rows, into: sums, workspace, ahead: ahead)
    addColumnSums(dBranch, rows, width, into: sums + width * hidden)
  }
}
