// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// What the encoder makes of a batch: the hidden states, before they are pooled and classified.
package struct EncodedSequences {
  /// The residual stream behind the last normalisation, [N, E], recorded on the tape.
  package let rows: Tensor
  /// Where the sequences lie in it; each begins with the class token if the model has one.
  package let sequences: PackedSequences
  /// What each block's mixer adds to the residual stream, [N, E], nil for a block without one;
  /// empty unless it was asked for.
  package let mixerOutputs: [Tensor?]
}
