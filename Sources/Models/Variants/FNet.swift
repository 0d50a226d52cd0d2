// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

/// A Fourier transform of every sequence in both directions in place of attention; nothing to train.
///
/// ```
/// x + drop(Re(F_L·LayerNorm(x)·F_E))
/// ```
/// where the sequence is followed by zeros up to L, the longest sequence that the model takes: the
/// frequencies are constants of the model, and padding cannot change a result.
///
/// - Complexity: O(L·E·(E + log L)) time, O(L·E) memory.
///
/// Source: Lee-Thorp et al., "FNet: Mixing Tokens with Fourier Transforms" (2021),
/// arXiv 2105.03824, equation 3.
/// Differs: see ``about``.
struct FNet: Mixer {
  static let about = VariantDescription(
    name: "fnet", paper: "Lee-Thorp et al., FNet: Mixing Tokens with Fourier Transforms",
    year: 2021,
    arXiv: "2105.03824", cost: .linearithmic,
    summary: "The real part of a Fourier transform along sequence and row, without weights.",
    parts: [],
    deviations: [
      "The paper normalises after the residual sum and so takes back the growth by √(L·E/2) that the "
        + "transform brings; the encoder here normalises before it. model.orthonormal scales it.",
      "Sequences are followed by zeros up to the model's length; the paper transforms padding.",
      "The paper has no dropout after the transform.",
      "model.heads and model.attention-dropout have no effect.",
    ])

  struct Options: VariantOptions {
    @Knob("whether the transform is divided by √(L·E)") var orthonormal = false
  }

  private let plan: FourierPlan
  private let dropout: DropoutLayer

  init(_ size: MixerSize, _ options: Options, _ scope: ParameterScope) {
    let scale = options.orthonormal ? 1 / Double(size.length * size.width).squareRoot() : 1
    plan = FourierPlan(length: size.length, width: size.width, scale: scale)
    dropout = DropoutLayer(size.dropout, at: scope.place + ".branch")
  }

  func callAsFunction(_ x: BranchInput, _ context: ForwardContext) -> Tensor {
    x.addingFourierMix(plan, sequences: context.sequences, dropout: dropout(context))
  }
}
