// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// What the encoder makes of a batch: the hidden states, before they are pooled and classified.
package struct EncodedSequences {
  /// The residual stream behind the last normalisation, [N, E], recorded on the tape.
  package let rows: Tensor
  /// Where the sequences lie in it; each begins with the class token if the model has one.
  package let sequences: PackedSequences
  /// The token of each row as the model saw it, -1 for the class token.
  package let tokens: [Int32]
  /// What each block's mixer adds to the residual stream, [N, E], nil where there is none or the block
  /// was left out; empty unless it was asked for.
  package let mixerOutputs: [Tensor?]
  /// The rows that each block takes, [N, E]; empty unless what mixers add was asked for.
  package let blockInputs: [Tensor]
  /// The logits of each exit, [B, C], in the order of the blocks; empty unless they were asked for.
  package let exitLogits: [Tensor]
}
