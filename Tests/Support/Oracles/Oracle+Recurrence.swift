// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Recurrences and Fourier transforms by their definitions: explicit kernels, explicit matrices.
extension Oracle {
  /// h_t = λ·h_{t-1} + x_t, state by state; columns are real parts, then imaginary parts.
  package static func diagonalScan(
    _ x: Matrix, _ poles: Matrix, offsets: [Int], reversed: Bool
  ) -> Matrix {
    let states = poles.columns
    var result = x
    for s in 0..<offsets.count - 1 {
      let rows = Array(offsets[s]..<offsets[s + 1])
      for state in 0..<states {
        var (re, im) = (0.0, 0.0)
        for row in reversed ? rows.reversed() : rows {
          let (a, b) = (poles[0, state], poles[1, state])
          (re, im) = (a * re - b * im + x[row, state], a * im + b * re + x[row, states + state])
          result[row, state] = re
          result[row, states + state] = im
        }
      }
    }
    return result
  }

  /// K_l = Σ 2·Re(γ·λ^l) of one channel; coefficients in the layout of ``stateSpaceScan``.
  package static func stateSpaceKernel(
    _ coefficients: Matrix, channel: Int, length: Int
  ) -> [Double] {
    let modes = coefficients.rows / 4
    return (0..<length).map { lag in
      (0..<modes).reduce(0) { sum, m in
        let (a, b) = (coefficients[m, channel], coefficients[modes + m, channel])
        let (c, d) = (coefficients[2 * modes + m, channel], coefficients[3 * modes + m, channel])
        let size = Foundation.pow((a * a + b * b).squareRoot(), Double(lag))
        let angle = Foundation.atan2(b, a) * Double(lag)
        return sum + 2 * size * (c * Foundation.cos(angle) - d * Foundation.sin(angle))
      }
    }
  }

  /// The convolution of every channel with its kernel; a reversed system begins one row later.
  package static func stateSpaceScan(
    _ u: Matrix, _ systems: [(coefficients: Matrix, reversed: Bool)], skip: [Double],
    offsets: [Int]
  ) -> Matrix {
    var result = u.mapPlaces { $2 * skip[$1] }
    let longest = zip(offsets.dropFirst(), offsets).map { $0 - $1 }.max() ?? 0
    for (coefficients, reversed) in systems {
      for channel in 0..<u.columns {
        let kernel = stateSpaceKernel(coefficients, channel: channel, length: longest)
        for s in 0..<offsets.count - 1 {
          let rows = offsets[s]..<offsets[s + 1]
          for t in rows {
            result[t, channel] +=
              reversed
              ? (t + 1..<max(rows.upperBound, t + 1)).reduce(0) {
                $0 + kernel[$1 - t - 1] * u[$1, channel]
              }
              : (rows.lowerBound...t).reduce(0) { $0 + kernel[t - $1] * u[$1, channel] }
          }
        }
      }
    }
    return result
  }

  /// λ = e^(ΔA) and γ = C·(λ - 1)/A with A = -e^ρ + iω and Δ = e^δ.
  package static func zeroOrderHold(
    logStep: [Double], logDecay: Matrix, frequency: Matrix, output: Matrix
  ) -> Matrix {
    let modes = logDecay.rows
    return Matrix(4 * modes, logStep.count) { row, h in
      let (m, own) = (row % modes, logDecay.columns == 1 ? 0 : h)
      let step = Foundation.exp(logStep[h])
      let (re, im) = (-Foundation.exp(logDecay[m, own]), frequency[m, own])
      let size = Foundation.exp(step * re)
      let pole = (size * Foundation.cos(step * im), size * Foundation.sin(step * im))
      // (λ - 1)·Ā/|A|²
      let square = re * re + im * im
      let held = (
        ((pole.0 - 1) * re + pole.1 * im) / square, (pole.1 * re - (pole.0 - 1) * im) / square
      )
      let (c, d) = (output[m, h], output[modes + m, h])
      return [pole.0, pole.1, c * held.0 - d * held.1, c * held.1 + d * held.0][row / modes]
    }
  }

  /// exp(-e^ν)·(cos e^θ, sin e^θ).
  package static func ringPoles(_ logDecay: [Double], _ logPhase: [Double]) -> Matrix {
    Matrix(2, logDecay.count) { part, i in
      let angle = Foundation.exp(logPhase[i])
      return Foundation.exp(-Foundation.exp(logDecay[i]))
        * (part == 0 ? Foundation.cos(angle) : Foundation.sin(angle))
    }
  }

  /// Re(F_L·x·F_E) = C_L·x·C_E - S_L·x·S_E of each sequence, where C and S are the matrices of
  /// cosines and sines.
  package static func fourierMix(_ x: Matrix, length: Int, offsets: [Int]) -> Matrix {
    let (cosE, sinE) = fourierMatrices(x.columns, x.columns)
    return Matrix.stacked(
      (0..<offsets.count - 1).map { s in
        let part = x.rows(offsets[s]..<offsets[s + 1])
        let (cosL, sinL) = fourierMatrices(part.rows, length)
        let sines = sinL.times(part).times(sinE)
        return cosL.times(part).times(cosE) + sines.map { -$0 }
      })
  }

  /// The first `count` rows and columns of the cosines and sines of 2πjk/n.
  private static func fourierMatrices(_ count: Int, _ n: Int) -> (Matrix, Matrix) {
    let angle = { (j: Int, k: Int) in 2 * Double.pi * Double(j * k % n) / Double(n) }
    return (
      Matrix(count, count) { Foundation.cos(angle($0, $1)) },
      Matrix(count, count) { Foundation.sin(angle($0, $1)) }
    )
  }

  /// a ⊙ σ(b), where each row holds a and b.
  package static func gated(_ halves: Matrix) -> Matrix {
    let width = halves.columns / 2
    return Matrix(halves.rows, width) { row, j in
      halves[row, j] / (1 + Foundation.exp(-halves[row, width + j]))
    }
  }
}
