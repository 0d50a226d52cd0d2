// SPDX-License-Identifier: Apache-2.0

import Foundation

/// λ = exp(-exp(ν) + i·exp(θ)): poles inside the unit circle whatever ν and θ are.
///
/// Computed in double precision.
///
/// - Parameters:
///   - logDecay: ν, [S].
///   - logPhase: θ, [S].
/// - Returns: λ, [2, S], the real parts and the imaginary parts.
/// - Complexity: O(S); a few microseconds, not shared among cores.
///
/// Saves: ν and θ.
///
/// Source: Orvieto et al. (2023), arXiv 2303.06349, section 3.3.
package func ringPoles(logDecay: Tensor, logPhase: Tensor) -> Tensor {
  let states = logDecay.count
  precondition(
    logPhase.count == states, "ringPoles: \(logDecay.shape) decays, \(logPhase.shape) phases")
  let exponent = { (i: Int) in
    Complex(
      -Foundation.exp(Double(logDecay.pointer[i])), Foundation.exp(Double(logPhase.pointer[i])))
  }
  let y = Tensor(shape: [2, states], storage: Storage(count: 2 * states))
  profileRows("ring poles", logDecay, passes: 4) {
    for i in 0..<states {
      let pole = exp(exponent(i))
      y.pointer[i] = Float(pole.re)
      y.pointer[states + i] = Float(pole.im)
    }
  }
  return y.recorded("ring poles", from: logDecay, logPhase) { dy in
    let decay = logDecay.node?.target()
    let phase = logPhase.node?.target()
    profileRows("ring poles backward", logDecay, passes: 6) {
      for i in 0..<states {
        // dλ/dz = λ, so the gradient of z is that of λ times its conjugate.
        let z = exponent(i)
        let dPole = Complex(Double(dy.pointer[i]), Double(dy.pointer[states + i]))
        let dz = dPole * exp(z).conjugate
        decay?.store(Float(dz.re * z.re), at: i)
        phase?.store(Float(dz.im * z.im), at: i)
      }
    }
  }
}
