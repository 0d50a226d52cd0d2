// SPDX-License-Identifier: Apache-2.0

import CShims

/// Sixteen pairs of bfloat16, in the room of sixteen floats.
///
/// The first of a pair lies in the low half of its 32 bits. No arithmetic may be done on such lanes, which
/// only carry the bits.
protocol BFloat16Pairs {
  /// Pairs the lanes of two vectors that stand in the same place.
  static func pairs(_ first: Lanes, _ second: Lanes) -> Lanes
  /// Pairs neighbouring lanes of 32 floats in a row.
  static func neighbours(_ low: Lanes, _ high: Lanes) -> Lanes
  /// sum + a₂·b₂ + a₁·b₁, in this order and rounded after each.
  static func addProduct(_ a: Lanes, _ b: Lanes, to sum: inout Lanes)
}

/// By the instructions of AVX512-BF16.
enum NativePairs: BFloat16Pairs {
  /// Whether this build has them, and the processor, and `LRA_ISA` does not do without them.
  static let areAvailable = ProductKernel.isUsed(.bf16)

  @inline(__always)
  static func pairs(_ first: Lanes, _ second: Lanes) -> Lanes { lra_pairs(first, second) }

  @inline(__always)
  static func neighbours(_ low: Lanes, _ high: Lanes) -> Lanes { lra_neighbours(low, high) }

  @inline(__always)
  static func addProduct(_ a: Lanes, _ b: Lanes, to sum: inout Lanes) {
    sum = lra_add_pair_products(sum, a, b)
  }
}

/// The same bits on any processor.
enum PortablePairs: BFloat16Pairs {
  private typealias Bits = SIMD16<UInt32>

  @inline(__always)
  static func pairs(_ first: Lanes, _ second: Lanes) -> Lanes {
    lanes(rounded(first) &>> 16 | (rounded(second) & 0xFFFF_0000))
  }

  @inline(__always)
  static func neighbours(_ low: Lanes, _ high: Lanes) -> Lanes {
    pairs(
      Lanes(lowHalf: low.evenHalf, highHalf: high.evenHalf),
      Lanes(lowHalf: low.oddHalf, highHalf: high.oddHalf))
  }

  @inline(__always)
  static func addProduct(_ a: Lanes, _ b: Lanes, to sum: inout Lanes) {
    let (a, b) = (bits(a), bits(b))
    sum.addProduct(lanes(a & 0xFFFF_0000), lanes(b & 0xFFFF_0000))
    sum.addProduct(lanes(a &<< 16), lanes(b &<< 16))
  }

  /// Bits whose upper half is the nearest bfloat16, of two the even one; a denormal becomes zero and
  /// NaN stays NaN, as by VCVTNEPS2BF16.
  @inline(__always)
  private static func rounded(_ x: Lanes) -> Bits {
    let bits = bits(x)
    let magnitude = bits & 0x7FFF_FFFF
    let nearest = bits &+ 0x7FFF &+ (bits &>> 16 & 1)
    return
      nearest
      .replacing(with: bits & 0x8000_0000, where: magnitude .< 0x0080_0000)
      .replacing(with: bits | 0x0040_0000, where: magnitude .> 0x7F80_0000)
  }

  @inline(__always)
  private static func bits(_ x: Lanes) -> Bits { unsafeBitCast(x, to: Bits.self) }
  @inline(__always)
  private static func lanes(_ bits: Bits) -> Lanes { unsafeBitCast(bits, to: Lanes.self) }
}
