// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

/// How a weight's first values are drawn.
package enum Initializer: Sendable {
  case zeros
  case ones
  /// Normal with mean 0 and the given standard deviation.
  case normal(Double)
  /// Uniform in ±√(6 / (fan in + fan out)); Glorot and Bengio (2010).
  case xavierUniform
  /// Normal with deviation 1/√(fan in); LeCun et al. (1998).
  case lecunNormal
  /// All values from the weight's own random stream; the number of values is the second argument.
  case drawn(@Sendable (inout RandomStream, Int) -> [Float])
}
