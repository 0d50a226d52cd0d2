// SPDX-License-Identifier: Apache-2.0

/// y = x + applyDropout(Re(F_L·LayerNorm(x)·F_E)): a whole pre-norm mixing block, a sequence at a time.
///
/// - Parameters:
///   - x: [N, E].
///   - norm: γ and β, [E].
///   - plan: L and E.
///   - sequences: the sequences, at most L long.
///   - dropout: applied to the branch before it is added.
/// - Returns: [N, E].
/// - Complexity: as ``fourierMix(_:plan:sequences:)``, each way; a core needs 2·L·(E + 32) floats.
///
/// Saves: x; the normalisation is computed again in the backward pass.
package func residualFourierMix(
  _ x: Tensor, norm: Norm, plan: FourierPlan, sequences: PackedSequences, dropout: Dropout = .none
) -> Tensor {
  let block = ResidualFourierMix(
    x: x, norm: norm, kernel: FourierKernel("residualFourierMix", x, plan, sequences),
    dropout: dropout)
  precondition(
    norm.scale.count == plan.width,
    "residualFourierMix: norm of \(norm.scale.count) for \(x.shape)")
  let y = Tensor(shape: x.shape, storage: Storage(count: x.storage.count))
  block.kernel.measure("residual Fourier mix", passes: 2) { block.forward(into: y) }
  return y.recorded("residual Fourier mix", from: x, norm.scale, norm.shift) { dy in
    block.kernel.measure("residual Fourier mix backward", passes: 3) { block.backward(dy) }
    x.node?.accept(dy, count: x.count)
  }
}

private struct ResidualFourierMix {
  let x: Tensor
  let norm: Norm
  let kernel: FourierKernel
  let dropout: Dropout
  private var width: Int { kernel.plan.width }

  func forward(into y: Tensor) {
    kernel.forEachSequence { _, rows, workspace in
      let from = x.pointer + rows.lowerBound * width
      let out = y.pointer + rows.lowerBound * width
      let tile = workspace.floats(tileRows * width)
      let branch = workspace.floats(rows.count * width)
      kernel.transform(rows.count, into: branch, workspace) { first, count in
        let rows = from + first * width
        norm.tile.forward(rows, count, into: tile)
        return (UnsafePointer(tile), PrefetchCursor(rows + count * width, count: count * width))
      }
      dropBranch(branch, rows.count, firstRow: rows.lowerBound, into: branch)
      for i in 0..<rows.count * width { out[i] = from[i] + branch[i] }
    }
  }

  /// Adds the branch's part to dy in place, so that it becomes the gradient of x.
  func backward(_ dy: Storage) {
    let partial = PartialSums(pieces: kernel.sequences.count, size: 2 * width)
    kernel.forEachSequence { sequence, rows, workspace in
      let start = rows.lowerBound * width
      let tile = workspace.floats(tileRows * width)
      let dNormalized = workspace.floats(rows.count * width)
      kernel.transform(rows.count, into: dNormalized, workspace) { first, count in
        let dyTile = dy.pointer + start + first * width
        let prefetching = PrefetchCursor(dyTile + count * width, count: count * width)
        guard dropout.isActive else { return (UnsafePointer(dyTile), prefetching) }
        dropBranch(dyTile, count, firstRow: rows.lowerBound + first, into: tile)
        return (UnsafePointer(tile), prefetching)
      }
      partial[sequence].update(repeating: 0, count: 2 * width)
      addNormGradients(
        x.pointer + start, dNormalized, rows.count, into: dy.pointer + start,
        sums: partial[sequence], workspace)
    }
    if let target = norm.scale.node?.target() { partial.reduce(0, width, into: target) }
    if let target = norm.shift.node?.target() { partial.reduce(width, width, into: target) }
  }

  /// Adds what a sequence's normalisation hands on to dx, and its part of dγ and dβ to the sums.
  private func addNormGradients(
    _ x: UnsafePointer<Float>, _ dNormalized: UnsafePointer<Float>, _ rows: Int,
    into dx: UnsafeMutablePointer<Float>, sums: UnsafeMutablePointer<Float>, _ workspace: Workspace
  ) {
    let scratch = NormWorkspace(norm, rows: tileRows, workspace)
    for first in stride(from: 0, to: rows, by: tileRows) {
      let (count, offset) = (min(tileRows, rows - first), first * width)
      scratch.read(x + offset, count)
      scratch.backward(
        dNormalized + offset, count, into: (dx + offset, true), sums: sums, workspace)
    }
  }

  private func dropBranch(
    _ branch: UnsafePointer<Float>, _ rows: Int, firstRow: Int,
    into result: UnsafeMutablePointer<Float>
  ) {
    guard dropout.isActive else { return }
    applyDropout(dropout, branch, rows, width, firstRow: firstRow, into: result)
  }
}
