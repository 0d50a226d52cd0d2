// SPDX-License-Identifier: Apache-2.0

import CShims

/// What the kernels were compiled for.
package enum BuildTarget {
  /// Bits of the widest vector registers that the kernels use: 512 (AVX-512), 256 (AVX2 with FMA)
  /// or 128.
  package static var vectorBits: Int { Int(lra_vector_bits()) }
}
