// SPDX-License-Identifier: Apache-2.0

import CShims

/// Sixteen quadruples of bytes, in the room of sixteen floats.
///
/// No arithmetic may be done on such lanes, which only carry the bits; nor on the sums, which are integers
/// of 32 bits. A sum of up to 66,000 products cannot overflow, and nothing is rounded or saturated, so that
/// all conformances have the same bits.
protocol ByteQuads {
  /// sum + Σ of the four products of each lane.
  static func addProduct(_ signed: Lanes, _ unsigned: Lanes, to sum: inout Lanes)
}

/// By the instruction VPDPBUSD.
enum NativeQuads: ByteQuads {
  /// Whether this build has it, and the processor, and `LRA_ISA` does not do without it.
  static let areAvailable = ProductKernel.isUsed(.vnni)

  @inline(__always)
  static func addProduct(_ signed: Lanes, _ unsigned: Lanes, to sum: inout Lanes) {
    sum = lra_add_byte_products(sum, signed, unsigned)
  }
}

/// The same bits on any processor.
enum PortableQuads: ByteQuads {
  @inline(__always)
  static func addProduct(_ signed: Lanes, _ unsigned: Lanes, to sum: inout Lanes) {
    sum = lra_add_byte_products_portable(sum, signed, unsigned)
  }
}

/// Quadruples of bytes: signed ones of a weight, unsigned ones of the rows that it takes.
enum QuadFormat<Quads: ByteQuads>: OperandFormat {
  static var depth: Int { 4 }

  @inline(__always)
  static func acrossRows(_ row: (Int) -> Lanes) -> Lanes {
    preconditionFailure("bytes: there are no products with the transpose of a weight")
  }

  /// Of numbers between −127 and 127.
  @inline(__always)
  static func alongRow(_ vector: (Int) -> Lanes) -> Lanes {
    lra_bytes(vector(0), vector(laneCount), vector(2 * laneCount), vector(3 * laneCount))
  }

  @inline(__always)
  static func addProduct(_ a: Lanes, _ b: Lanes, to sum: inout Lanes) {
    Quads.addProduct(a, b, to: &sum)
  }

  @inline(__always)
  static func sum(_ a: Lanes, _ b: Lanes) -> Lanes { lra_add_integers(a, b) }
}
