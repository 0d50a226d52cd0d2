// SPDX-License-Identifier: Apache-2.0

import Base
import CShims
import Foundation

/// The instructions that products are computed with.
package enum ProductKernel: String, CaseIterable, Sendable {
  /// Vectors of 128 bits.
  case simd128
  /// Fused multiply-adds of AVX2's vectors of 256 bits.
  case avx2
  /// Those of AVX-512's vectors of 512 bits.
  case avx512
  /// AVX512-BF16's dot products of pairs of bfloat16.
  case bf16

  /// What products of a precision are computed with here; without `bf16`, bfloat16 are widened to floats,
  /// which gives the same bits at less than the speed of fp32.
  package static func used(for precision: Precision) -> ProductKernel {
    precision == .bf16 && NativePairs.areAvailable ? .bf16 : vectors
  }

  /// The kernel of the build's vectors.
  static var vectors: ProductKernel {
    switch BuildTarget.vectorBits {
    case 512: .avx512
    case 256: .avx2
    default: .simd128
    }
  }

  /// Those that this build has and this processor can run.
  static let available: [ProductKernel] = {
    let hasPairs = lra_has_bfloat16() && OpenBLAS.cpuFlags().contains("avx512_bf16")
    return [vectors] + (hasPairs ? [.bf16] : [])
  }()

  /// The kernel that `LRA_ISA` asks for, nil where it is not set or empty: `bf16`, or the kernel of the
  /// vectors, to do without `bf16`.
  ///
  /// - Throws: `UserError(.usage)` for one that there is not here, saying which there are.
  @discardableResult
  package static func fromEnvironment(
    _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> ProductKernel? {
    guard let text = environment["LRA_ISA"], !text.isEmpty else { return nil }
    if let kernel = ProductKernel(rawValue: text), available.contains(kernel) { return kernel }
    let names = available.map(\.rawValue).joined(separator: " and ")
    throw UserError(
      .usage,
      "LRA_ISA: \"\(text)\" is no kernel of this build on this processor, which have \(names)",
      remedy: "leave it out to use the fastest")
  }
}
