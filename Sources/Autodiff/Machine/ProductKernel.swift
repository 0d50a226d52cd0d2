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
  /// VNNI's dot products of four bytes.
  case vnni

  /// What products of a precision are computed with here; without `bf16` or `vnni`, bfloat16 are widened to
  /// floats and bytes to integers, which gives the same bits at less than the speed of fp32.
  package static func used(for precision: Precision) -> ProductKernel {
    switch precision {
    case .fp32: vectors
    case .bf16: NativePairs.areAvailable ? .bf16 : vectors
    case .int8: NativeQuads.areAvailable ? .vnni : vectors
    }
  }

  /// Whether products for which there is this kernel are computed with it: it is there, and `LRA_ISA` does
  /// not ask for that of the vectors.
  static func isUsed(_ kernel: ProductKernel) -> Bool {
    // The command line has refused a kernel that there is not.
    let chosen = (try? fromEnvironment()) ?? nil
    return available.contains(kernel) && chosen != vectors
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
    let flags = OpenBLAS.cpuFlags()
    let hasPairs = lra_has_bfloat16() && flags.contains("avx512_bf16")
    let byteFlag = BuildTarget.vectorBits == 512 ? "avx512_vnni" : "avx_vnni"
    let hasBytes = lra_has_byte_products() && flags.contains(byteFlag)
    return [vectors] + (hasPairs ? [.bf16] : []) + (hasBytes ? [.vnni] : [])
  }()

  /// The kernel that `LRA_ISA` asks for, nil where it is not set or empty: `bf16` or `vnni`, which change
  /// nothing where they are there, or the kernel of the vectors, to do without them.
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
