// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The discrete Fourier transform X_j = Σ_k x_k·e^(-2πijk/L) of sixteen columns at once, for any L.
///
/// L is taken apart into factors 4 and 2 and odd primes p. A stage of a prime costs O(L·p), so a
/// length with a large prime factor is slow but right: the whole costs O(L·Σp), O(L log L) where the
/// primes are small.
///
/// Source: Cooley and Tukey (1965); the order of Stockham, which needs no reordering at the end
/// (Van Loan, "Computational Frameworks for the Fast Fourier Transform", 1992, section 1.7).
struct MixedRadix: Sendable {
  /// L.
  let length: Int
  private let stages: [Stage]

  fileprivate struct Stage {
    let radix: Int
    /// The product of the radices before.
    let stride: Int
    /// L / (radix · stride).
    let count: Int
    /// e^(-2πipj/(radix · count)) for p < count and 0 < j < radix.
    let twiddles: [Float]
    /// cos and sin of 2πj/radix, for odd radices.
    let roots: [Float]
  }

  init(length: Int) {
    precondition(length > 0, "Fourier transform: length \(length)")
    self.length = length
    var stride = 1
    stages = MixedRadix.factors(length).map { radix in
      defer { stride *= radix }
      let part = length / stride
      let count = part / radix
      let twiddles = (0..<count).flatMap { p in
        (1..<radix).flatMap { MixedRadix.root(-p * $0, of: part) }
      }
      return Stage(
        radix: radix, stride: stride, count: count, twiddles: twiddles,
        roots: (0..<radix).flatMap { MixedRadix.root($0, of: radix) })
    }
  }

  /// Real and imaginary part of e^(2πij/n).
  private static func root(_ j: Int, of n: Int) -> [Float] {
    let angle = 2 * Double.pi * Double(j % n) / Double(n)
    return [Float(Foundation.cos(angle)), Float(Foundation.sin(angle))]
  }

  private static func factors(_ length: Int) -> [Int] {
    var (rest, factors, factor) = (length, [Int](), 4)
    while rest > 1 {
      if rest % factor == 0 {
        factors.append(factor)
        rest /= factor
      } else {
        factor = factor == 4 ? 2 : factor == 2 ? 3 : factor + 2
      }
    }
    return factors
  }

  /// Floating-point operations of one transform of one column.
  var operations: Int {
    stages.reduce(0) { sum, stage in
      let half = (stage.radix - 1) / 2
      let butterfly = [2: 4, 4: 16][stage.radix] ?? half * (10 + 8 * half)
      return sum + length / stage.radix * (butterfly + 6 * (stage.radix - 1))
    }
  }

  /// Transforms the `length` elements at `x`, see ``ComplexLanes``.
  ///
  /// - Parameter other: room for as many.
  /// - Returns: `x` or `other`, whichever holds the result.
  func callAsFunction(
    _ x: UnsafeMutablePointer<Float>, other: UnsafeMutablePointer<Float>, _ workspace: Workspace
  ) -> UnsafeMutablePointer<Float> {
    var (from, to) = (x, other)
    let halves = workspace.floats(ComplexLanes.count * (stages.map(\.radix).max() ?? 0))
    for stage in stages {
      switch stage.radix {
      case 2: stage.runTwo(from, into: to)
      case 4: stage.runFour(from, into: to)
      default: stage.runOdd(from, into: to, halves)
      }
      (from, to) = (to, from)
    }
    return from
  }
}

extension MixedRadix.Stage {
  /// Calls `body(x, y, twiddles)` for each butterfly: its first input, its first output and its
  /// factors.
  @inline(__always)
  fileprivate func forEachButterfly(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>,
    _ body: (UnsafePointer<Float>, UnsafeMutablePointer<Float>, UnsafePointer<Float>) -> Void
  ) {
    twiddles.withUnsafeBufferPointer { table in
      guard var factors = table.baseAddress else { return }
      for p in 0..<count {
        for q in 0..<stride {
          body(
            x + (p * stride + q) * ComplexLanes.count,
            y + (p * radix * stride + q) * ComplexLanes.count, factors)
        }
        factors += 2 * (radix - 1)
      }
    }
  }

  /// Floats from one input of a butterfly to the next.
  private var inputStep: Int { count * stride * ComplexLanes.count }
  /// Floats from one output of a butterfly to the next.
  private var outputStep: Int { stride * ComplexLanes.count }

  fileprivate func runTwo(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>) {
    let (step, outStep) = (inputStep, outputStep)
    forEachButterfly(x, y) { x, y, factors in
      let (a, b) = (ComplexLanes(x), ComplexLanes(x + step))
      (a + b).store(y)
      (a - b).store(y + outStep, times: factors)
    }
  }

  fileprivate func runFour(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>) {
    let (step, outStep) = (inputStep, outputStep)
    forEachButterfly(x, y) { x, y, factors in
      let (a, b) = (ComplexLanes(x), ComplexLanes(x + step))
      let (c, d) = (ComplexLanes(x + 2 * step), ComplexLanes(x + 3 * step))
      let (even, evenOdd) = (a + c, a - c)
      let (odd, oddOdd) = (b + d, (b - d).turned)
      (even + odd).store(y)
      (evenOdd + oddOdd).store(y + outStep, times: factors)
      (even - odd).store(y + 2 * outStep, times: factors + 2)
      (evenOdd - oddOdd).store(y + 3 * outStep, times: factors + 4)
    }
  }

  /// Outputs j and p - j share their sums: Σ (x_k + x_{p-k})·cos ∓ i·Σ (x_k - x_{p-k})·sin.
  fileprivate func runOdd(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    _ halves: UnsafeMutablePointer<Float>
  ) {
    let (step, outStep, half) = (inputStep, outputStep, (radix - 1) / 2)
    let differences = halves + half * ComplexLanes.count
    forEachButterfly(x, y) { x, y, factors in
      let first = ComplexLanes(x)
      var sum = first
      for k in 1...half {
        let (a, b) = (ComplexLanes(x + k * step), ComplexLanes(x + (radix - k) * step))
        sum = sum + (a + b)
        (a + b).store(halves + (k - 1) * ComplexLanes.count)
        (a - b).store(differences + (k - 1) * ComplexLanes.count)
      }
      sum.store(y)
      for j in 1...half {
        let (even, odd) = rotated(first, j, halves, differences, half)
        (even + odd.turned).store(y + j * outStep, times: factors + 2 * (j - 1))
        (even - odd.turned).store(
          y + (radix - j) * outStep, times: factors + 2 * (radix - j - 1))
      }
    }
  }

  /// x_0 + Σ_k (sum k)·cos(2πjk/p) and Σ_k (difference k)·sin(2πjk/p).
  @inline(__always)
  private func rotated(
    _ first: ComplexLanes, _ j: Int, _ sums: UnsafePointer<Float>,
    _ differences: UnsafePointer<Float>, _ half: Int
  ) -> (even: ComplexLanes, odd: ComplexLanes) {
    var (even, odd) = (first, ComplexLanes(Lanes(), Lanes()))
    var turn = 0
    for k in 0..<half {
      turn += j
      if turn >= radix { turn -= radix }
      even.add(ComplexLanes(sums + k * ComplexLanes.count), times: roots[2 * turn])
      odd.add(ComplexLanes(differences + k * ComplexLanes.count), times: roots[2 * turn + 1])
    }
    return (even, odd)
  }
}
