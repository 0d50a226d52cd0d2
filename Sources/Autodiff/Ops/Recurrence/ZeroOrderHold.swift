// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Turns M continuous modes of each of H channels into the coefficients of ``stateSpaceScan``, for an
/// input that is held between its samples.
///
/// ```
/// A = -exp(ρ) + iω      Δ = exp(δ)      λ = exp(ΔA)      γ = C·(λ - 1)/A
/// ```
/// Computed in double precision. With Δ·|A| above 10⁻⁵, as it is in practice, λ - 1 loses no more
/// digits than a float has to spare.
///
/// - Parameters:
///   - logStep: δ, [H].
///   - logDecay: ρ, [M, H]; or [M, 1], shared by the channels.
///   - frequency: ω, of the same shape.
///   - output: C, [2M, H], the real parts of all modes, then the imaginary parts.
/// - Returns: λ and γ, [4M, H]: real parts of λ, imaginary parts of λ, the same of γ.
/// - Complexity: O(M·H) once a step, whatever the batch; not shared among cores.
///
/// Saves: the inputs.
///
/// Source: Gu et al., "On the Parameterization and Initialization of Diagonal State Space Models"
/// (2022), arXiv 2206.11893, equations 4 and 5, with B = 1.
package func zeroOrderHold(
  logStep: Tensor, logDecay: Tensor, frequency: Tensor, output: Tensor
) -> Tensor {
  let (modes, channels) = (logDecay.rows, logStep.count)
  precondition(
    frequency.shape == logDecay.shape && [1, channels].contains(logDecay.columns)
      && output.shape == [2 * modes, channels],
    "zeroOrderHold: decays \(logDecay.shape), frequencies \(frequency.shape), outputs "
      + "\(output.shape), \(channels) steps")
  let hold = ZeroOrderHold(
    logStep: logStep, logDecay: logDecay, frequency: frequency, output: output, modes: modes,
    channels: channels)
  let y = Tensor(shape: [4 * modes, channels], storage: Storage(count: 4 * modes * channels))
  // Reads two of the modes and C, writes λ and γ.
  Profiler.shared.measure(
    "zero-order hold", flops: 30 * modes * channels, bytes: 32 * modes * channels
  ) { hold.forward(into: y.pointer) }
  return y.recorded("zero-order hold", from: logStep, logDecay, frequency, output) { dy in
    Profiler.shared.measure(
      "zero-order hold backward", flops: 90 * modes * channels, bytes: 48 * modes * channels
    ) { hold.backward(dy.pointer) }
  }
}

private struct ZeroOrderHold {
  let logStep: Tensor
  let logDecay: Tensor
  let frequency: Tensor
  let output: Tensor
  let modes: Int
  let channels: Int

  /// One mode of one channel.
  private struct Mode {
    let step: Double
    let rate: Complex
    let output: Complex
    let pole: Complex
    /// (λ - 1)/A, the response to an input of 1 held for one step.
    let response: Complex
  }

  private func mode(_ m: Int, _ h: Int) -> Mode {
    let own = place(m, h)
    let step = Foundation.exp(Double(logStep.pointer[h]))
    let rate = Complex(
      -Foundation.exp(Double(logDecay.pointer[own])), Double(frequency.pointer[own]))
    let pole = exp(step * rate)
    return Mode(
      step: step, rate: rate,
      output: Complex(
        Double(output.pointer[m * channels + h]),
        Double(output.pointer[(modes + m) * channels + h])),
      pole: pole, response: (pole - Complex(1)) / rate)
  }

  /// Where decay and frequency of a mode lie.
  private func place(_ m: Int, _ h: Int) -> Int {
    m * logDecay.columns + (logDecay.columns == 1 ? 0 : h)
  }

  func forward(into y: UnsafeMutablePointer<Float>) {
    let block = modes * channels
    for m in 0..<modes {
      for h in 0..<channels {
        let mode = mode(m, h)
        let gain = mode.output * mode.response
        let at = m * channels + h
        y[at] = Float(mode.pole.re)
        y[block + at] = Float(mode.pole.im)
        y[2 * block + at] = Float(gain.re)
        y[3 * block + at] = Float(gain.im)
      }
    }
  }

  /// With κ = (λ - 1)/A: dλ/dA = Δλ, dλ/dΔ = Aλ, dκ/dA = (Δλ - κ)/A, dκ/dΔ = λ; each gradient is
  /// that of the result times the conjugate of the derivative.
  func backward(_ dy: UnsafePointer<Float>) {
    var dSteps = [Double](repeating: 0, count: channels)
    var dDecays = [Double](repeating: 0, count: logDecay.count)
    var dFrequencies = dDecays
    let dOutput = output.node?.target()
    let block = modes * channels
    for m in 0..<modes {
      for h in 0..<channels {
        let (mode, at) = (mode(m, h), m * channels + h)
        let dPole = Complex(Double(dy[at]), Double(dy[block + at]))
        let dGain = Complex(Double(dy[2 * block + at]), Double(dy[3 * block + at]))
        let dC = dGain * mode.response.conjugate
        dOutput?.store(Float(dC.re), at: at)
        dOutput?.store(Float(dC.im), at: block + at)
        let dResponse = dGain * mode.output.conjugate
        let scaled = mode.step * mode.pole
        let dRate =
          dPole * scaled.conjugate
          + dResponse * ((scaled - mode.response) / mode.rate).conjugate
        let dStep = dPole * (mode.rate * mode.pole).conjugate + dResponse * mode.pole.conjugate
        dSteps[h] += dStep.re * mode.step
        dDecays[place(m, h)] += dRate.re * mode.rate.re
        dFrequencies[place(m, h)] += dRate.im
      }
    }
    store(dSteps, logStep)
    store(dDecays, logDecay)
    store(dFrequencies, frequency)
  }

  private func store(_ sums: [Double], _ tensor: Tensor) {
    guard let target = tensor.node?.target() else { return }
    for (i, value) in sums.enumerated() { target.store(Float(value), at: i) }
  }
}
