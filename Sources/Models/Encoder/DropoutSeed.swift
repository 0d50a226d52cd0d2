// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

/// What dropout is a function of, beside the place in the model.
package struct DropoutSeed: Sendable {
  let seed: UInt64
  let step: Int
  let sequencesBefore: Int
  let tokensBefore: Int

  /// - Parameters:
  ///   - seed: of the run.
  ///   - step: of the optimizer.
  ///   - sequencesBefore: sequences of the whole batch before this part of it.
  ///   - tokensBefore: their tokens.
  package init(seed: UInt64, step: Int, sequencesBefore: Int = 0, tokensBefore: Int = 0) {
    self.seed = seed
    self.step = step
    self.sequencesBefore = sequencesBefore
    self.tokensBefore = tokensBefore
  }
}
