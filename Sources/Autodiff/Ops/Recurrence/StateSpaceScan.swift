// SPDX-License-Identifier: Apache-2.0

/// The M complex modes of each of H channels, as ``stateSpaceScan`` takes them.
package struct StateSpace {
  /// λ and γ, [4M, H]: real parts of λ, imaginary parts of λ, the same of γ; see ``zeroOrderHold``.
  package let coefficients: Tensor
  /// Whether time runs backwards, in which case a row hears those behind it, not itself.
  package let reversed: Bool

  /// One direction of a layer.
  package init(_ coefficients: Tensor, reversed: Bool = false) {
    self.coefficients = coefficients
    self.reversed = reversed
  }
}

/// The sum of diagonal state-space models, each channel its own, along every sequence.
///
/// ```
/// h_t = λ ⊙ h_{t-1} + u_t      y_t = Σ_modes 2·Re(γ ⊙ h_t) + d ⊙ u_t
/// ```
/// which is a convolution with K_l = 2·Re Σ γ·λ^l. A reversed system adds Σ_{s>t} K_{s-t-1}·u_s, so
/// that no row is heard twice.
///
/// - Parameters:
///   - u: [N, H].
///   - systems: one for each direction, all with the same number of modes.
///   - skip: d, [H].
///   - sequences: the sequences; the states before each are zero.
/// - Returns: y, [N, H].
/// - Complexity: 12·N·H·M operations for each system forward and 32·N·H·M backward, at the speed of
///   the multiply-add units: states stay in registers, sixteen channels to a register. Memory: the
///   result, and states at every 64th row, N·H·M/32 floats a system.
///   A convolution by FFT would need about 15·log₂(2L) operations a row and channel beside 16·L·H·M
///   for the kernel: 180 against 12·M at L = 2048. With M = 2, as in the published setting for
///   ListOps, the recurrence needs a seventh; with M = 32 twice as many, which the FFT's passes
///   through memory and its complex copies of double length cost back.
///
/// Saves: u, the coefficients and the states at every 64th row, from which the backward pass computes
/// the states between again.
///
/// Source: Gu et al., "On the Parameterization and Initialization of Diagonal State Space Models"
/// (2022), arXiv 2206.11893, section 3; the lag of the reversed system is that of its code.
package func stateSpaceScan(
  _ u: Tensor, _ systems: [StateSpace], skip: Tensor, sequences: PackedSequences
) -> Tensor {
  let kernel = StateSpaceKernel(u, systems, skip, sequences)
  let y = Tensor(shape: u.shape, storage: Storage(count: u.storage.count))
  let boundaries = Storage(count: kernel.boundaryCount)
  kernel.measure("state space scan", operations: 12) { kernel.forward(into: y, boundaries) }
  return y.recorded(
    "state space scan", from: [u, skip] + systems.map(\.coefficients)
  ) { dy in
    kernel.measure("state space scan backward", operations: 32) {
      kernel.backward(dy, boundaries)
    }
  }
}
