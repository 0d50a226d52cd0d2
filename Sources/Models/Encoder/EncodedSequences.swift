// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// What the encoder makes of a batch: the hidden states, before they are pooled and classified.
package struct EncodedSequences {
  /// The residual stream behind the last normalisation, [N, E], recorded on the tape.
  package let rows: Tensor
  /// Where the sequences lie in it; each begins with the class token if the model has one.
  package let sequences: PackedSequences
}
