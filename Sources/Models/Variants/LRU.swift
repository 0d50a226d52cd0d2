// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation

/// A linear recurrence of complex states that do not touch each other, between two linear maps.
///
/// ```
/// h_t = λ ⊙ h_{t-1} + e^γ ⊙ (B·u_t)      y_t = Re(C·h_t) + d ⊙ u_t      u = LayerNorm(x)
/// λ = exp(-exp(ν) + i·exp(θ))            x + drop(GLU(drop(gelu(y))))
/// ```
/// Bidirectional, a second recurrence with the same λ and B runs backwards, and C reads both.
///
/// - Complexity: O(L·E·S) time, O(L·(E + S)) memory.
///
/// Source: Orvieto et al., "Resurrecting Recurrent Neural Networks for Long Sequences" (2023),
/// arXiv 2303.06349, section 3 and appendix A; B, C, d and the gate begin as in the code of
/// N. Zucchet, minimal-LRU.
/// Differs: see ``about``.
struct LRU: Mixer {
  static let about = VariantDescription(
    name: "lru",
    paper: "Orvieto et al., Resurrecting Recurrent Neural Networks for Long Sequences", year: 2023,
    arXiv: "2303.06349", cost: .linear,
    summary: "A diagonal complex recurrence with stable poles, and a gated linear unit.",
    parts: [.recurrence],
    deviations: [
      "Rows are normalised by themselves unless model.norm is batch; the paper has BatchNorm.",
      "Blocks keep the feed-forward network unless model.feed-forward is 0; the paper has none.",
      "The encoder adds positions unless model.positions is none; the paper has none.",
      "Both directions share poles and input map; the paper does not say.",
      "Known code shares the choice of dropout along time; here it is independent.",
    ])

  struct Options: VariantOptions {
    @Knob("S, the complex states of a layer", 1...) var states = 256
    @Knob("the smallest modulus of the first poles", 0...1, key: "r-min") var smallestModulus = 0.0
    @Knob("the largest modulus of the first poles", 0...1, key: "r-max") var largestModulus = 0.99
    @Knob("the largest angle of the first poles, in radians", above: 0, key: "max-phase")
    var largestPhase = 2 * Double.pi
    @Knob("whether a second recurrence runs backwards; needed with model.pooling cls")
    var bidirectional = false

    var isCausal: Bool { !bidirectional }

    func validate(_ size: MixerSize) throws {
      guard smallestModulus < largestModulus else {
        throw UserError(
          .configuration,
          "model.r-min is \(smallestModulus) and model.r-max \(largestModulus), but "
            + "r-min < r-max must hold",
          remedy: "use, for example, --set model.r-min=0 --set model.r-max=0.99")
      }
    }
  }

  private let nu: Parameter
  private let theta: Parameter
  private let gamma: Parameter
  private let input: Parameter
  /// Re(C) and, behind it, -Im(C), for each direction.
  private let outputs: [WeightMap]
  private let skip: Parameter
  private let gate: GatedLinearUnit

  init(_ size: MixerSize, _ options: Options, _ scope: ParameterScope) {
    let (width, states) = (size.width, options.states)
    let ring = PoleRing(options, scope.stream("nu"))
    nu = scope.weight("nu", [states], .drawn { _, n in ring.nu(n) }, group: .recurrence)
    theta = scope.weight("theta", [states], .drawn(ring.theta), group: .recurrence)
    gamma = scope.weight(
      "gamma-log", [states], .drawn { _, n in ring.gamma(n) }, group: .recurrence)
    input = scope.weight(
      "input.weight", [2 * states, width], .normal(1 / Double(2 * width).squareRoot()),
      group: .recurrence)
    outputs = (options.bidirectional ? ["output", "output.reversed"] : ["output"]).map {
      WeightMap(2 * states, width, scope.scope($0), .normal(1 / Double(states).squareRoot()))
    }
    skip = scope.weight("skip", [width], .normal(1))
    gate = GatedLinearUnit(size, scope.scope("gate"))
  }

  func callAsFunction(_ x: BranchInput, _ context: ForwardContext) -> Tensor {
    let u = x.normalized
    let poles = ringPoles(logDecay: nu.tensor, logPhase: theta.tensor)
    let driven = linear(
      u, weight: scaledRows(input.tensor, logScales: gamma.tensor), precision: context.precision)
    var y = scaledColumns(u, scales: skip.tensor)
    for (direction, output) in outputs.enumerated() {
      let states = diagonalScan(
        driven, poles: poles, sequences: context.sequences, reversed: direction == 1)
      y = output.adding(to: y, states, context.in32Bits)
    }
    return gate(x.residual, y, context)
  }
}

/// The first poles: uniform on the ring between two radii, by area, and in their angle.
private struct PoleRing {
  private let options: LRU.Options
  /// The random numbers of ν, from which γ follows.
  private let moduli: RandomStream

  init(_ options: LRU.Options, _ moduli: RandomStream) {
    self.options = options
    self.moduli = moduli
  }

  /// ln |λ|² of each pole.
  private func logSquares(_ count: Int) -> [Double] {
    var random = moduli
    let (low, high) = (options.smallestModulus, options.largestModulus)
    return (0..<count).map { _ in
      Foundation.log(inside(&random) * (high * high - low * low) + low * low)
    }
  }

  /// ν = ln(-½·ln |λ|²).
  func nu(_ count: Int) -> [Float] { logSquares(count).map { Float(Foundation.log(-0.5 * $0)) } }

  /// γ = ln √(1 - |λ|²), which gives every state the variance of a white input.
  func gamma(_ count: Int) -> [Float] {
    logSquares(count).map { Float(0.5 * Foundation.log(-Foundation.expm1($0))) }
  }

  /// θ = ln(phase).
  func theta(_ random: inout RandomStream, _ count: Int) -> [Float] {
    (0..<count).map { _ in Float(Foundation.log(options.largestPhase * inside(&random))) }
  }

  /// A uniform number strictly between 0 and 1, so that no logarithm is infinite.
  private func inside(_ random: inout RandomStream) -> Double {
    min(max(random.uniform(), 0x1p-53), 1 - 0x1p-53)
  }
}
