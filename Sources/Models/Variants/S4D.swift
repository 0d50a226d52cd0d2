// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation

/// A diagonal state-space model for every channel: a convolution as long as the sequence.
///
/// ```
/// y = K ∗ u + d ⊙ u      K_l = 2·Re Σ_n C_n·(e^(ΔA_n) - 1)/A_n·e^(ΔA_n·l)      u = LayerNorm(x)
/// A = -exp(log-re) + i·im      Δ = exp(log-dt)      x + drop(GLU(drop(gelu(y))))
/// ```
/// Bidirectional, y_t also has Σ_{s>t} K'_{s-t-1}·u_s, where K' differs from K in C alone. It is
/// computed as the recurrence that K belongs to, see ``stateSpaceScan``.
///
/// - Complexity: O(L·E·N) time, O(L·E) memory.
///
/// Source: Gu et al., "On the Parameterization and Initialization of Diagonal State Space Models"
/// (2022), arXiv 2206.11893, sections 3 and 4.
/// Differs: see ``about``.
struct S4D: Mixer {
  static let about = VariantDescription(
    name: "s4d",
    paper: "Gu et al., On the Parameterization and Initialization of Diagonal State Space Models",
    year: 2022, arXiv: "2206.11893", cost: .linear,
    summary: "A diagonal state-space model of each channel, and a gated linear unit.",
    parts: [.recurrence],
    deviations: [
      "Rows are normalised by themselves, before each block, unless model.norm is batch or "
        + "batch-after; the published configurations have one of these.",
      "The convolution is computed as a recurrence, not by FFT.",
      "Blocks keep the feed-forward network unless model.feed-forward is 0; the paper has none.",
      "The encoder adds positions unless model.positions is none; the paper has none.",
      "The published ListOps configuration trains time steps at the full rate, here they belong to "
        + "the recurrence and have train.recurrence-rate.",
      "The authors' code shares the choice of dropout along time; here it is independent.",
    ])

  /// How the imaginary parts of A begin; the real parts are -½.
  enum Initial: String, SettingChoice {
    /// πn.
    case lin
    /// (N/π)·(N/(2n + 1) - 1).
    case inv
    /// The eigenvalues of the normal part of HiPPO-LegS.
    case legs

    func frequencies(states: Int) -> [Double] {
      let modes = 0..<states / 2
      return switch self {
      case .lin: modes.map { Double.pi * Double($0) }
      case .inv:
        modes.map { Double(states) / .pi * (Double(states) / Double(2 * $0 + 1) - 1) }
      case .legs: hippoFrequencies(states: states)
      }
    }
  }

  struct Options: VariantOptions {
    @Knob("N, the real dimension of a channel's state: N/2 complex modes", 2...)
    var states = 64
    @Knob("the first frequencies: lin, inv or legs") var initial = Initial.legs
    @Knob("whether a second model of each channel runs backwards; needed with model.pooling cls")
    var bidirectional = true
    @Knob("the smallest first time step", above: 0, key: "dt-min") var smallestStep = 0.001
    @Knob("the largest first time step", above: 0, key: "dt-max") var largestStep = 0.1
    @Knob("whether all channels have the same poles; time steps stay their own") var shared = false

    var isCausal: Bool { !bidirectional }

    func validate(_ size: MixerSize) throws {
      guard states % 2 == 0 else {
        throw UserError(
          .configuration, "model.states is \(states), but must be even",
          remedy: "use, for example, --set model.states=64")
      }
      guard smallestStep <= largestStep else {
        throw UserError(
          .configuration,
          "model.dt-min is \(smallestStep) and model.dt-max \(largestStep), but "
            + "dt-min ≤ dt-max must hold",
          remedy: "use, for example, --set model.dt-min=0.001 --set model.dt-max=0.1")
      }
    }
  }

  private let logStep: Parameter
  private let logDecay: Parameter
  private let frequency: Parameter
  /// C of each direction.
  private let outputs: [Parameter]
  private let skip: Parameter
  private let gate: GatedLinearUnit

  init(_ size: MixerSize, _ options: Options, _ scope: ParameterScope) {
    let (width, modes) = (size.width, options.states / 2)
    let poles = [modes, options.shared ? 1 : width]
    let (low, high) = (Foundation.log(options.smallestStep), Foundation.log(options.largestStep))
    let initial = options.initial
    logStep = scope.weight(
      "log-dt", [width],
      .drawn { random, n in (0..<n).map { _ in Float(low + (high - low) * random.uniform()) } },
      group: .recurrence)
    logDecay = scope.weight(
      "log-re", poles, .drawn { _, n in [Float](repeating: Float(Foundation.log(0.5)), count: n) },
      group: .recurrence)
    frequency = scope.weight(
      "im", poles,
      .drawn { _, n in
        initial.frequencies(states: 2 * modes).flatMap {
          [Float](repeating: Float($0), count: n / modes)
        }
      }, group: .recurrence)
    outputs = (options.bidirectional ? ["output", "output.reversed"] : ["output"]).map {
      scope.weight("\($0).weight", [2 * modes, width], .normal(0.5.squareRoot()))
    }
    skip = scope.weight("skip", [width], .normal(1))
    gate = GatedLinearUnit(size, scope.scope("gate"))
  }

  func callAsFunction(_ x: BranchInput, _ context: ForwardContext) -> Tensor {
    let systems = outputs.enumerated().map { direction, output in
      StateSpace(
        zeroOrderHold(
          logStep: logStep.tensor, logDecay: logDecay.tensor, frequency: frequency.tensor,
          output: output.tensor), reversed: direction == 1)
    }
    let y = stateSpaceScan(x.normalized, systems, skip: skip.tensor, sequences: context.sequences)
    return gate(x.residual, y, context)
  }
}
