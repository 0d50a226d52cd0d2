// SPDX-License-Identifier: Apache-2.0

/// A buffer's floats rounded to the nearest bfloat16, of two the even one, in half its memory.
///
/// Denormals become zero; infinities and NaN stay what they are.
final class RoundedFloats: @unchecked Sendable {
  /// Floats that one task rounds or widens.
  private static let part = 1 << 16

  private let count: Int
  private let halves: UnsafeMutablePointer<Float>
  private let bytes: Int

  /// Rounds `count` floats.
  init(_ floats: UnsafePointer<Float>, count: Int) {
    let room = wholeVectors(Precision.bf16.steps(count))
    bytes = room * MemoryLayout<Float>.stride
    let halves = BufferPool.shared.acquire(bytes: bytes, orHalf: true)
      .bindMemory(to: Float.self, capacity: room)
    self.halves = halves
    self.count = count
    parallel(count, by: Self.part) { range, _ in
      Precision.bf16.copyRows(
        floats + range.lowerBound, row: range.count, rows: 1, columns: range.count,
        into: halves + range.lowerBound / 2, row: range.count)
    }
  }

  deinit { BufferPool.shared.release(halves, bytes: bytes) }

  /// Writes the floats that the rounded ones are.
  func copy(into floats: UnsafeMutablePointer<Float>) {
    parallel(count, by: Self.part) { range, _ in
      let halves = UnsafeRawPointer(self.halves + range.lowerBound / 2)
      let floats = floats + range.lowerBound
      forLanes(0..<range.count) { first, width in
        let bits = (halves + 2 * first).loadUnaligned(as: SIMD16<UInt16>.self)
        let lanes = SIMD16<UInt32>(truncatingIfNeeded: bits) &<< 16
        store(unsafeBitCast(lanes, to: Lanes.self), floats + first, count: width)
      }
    }
  }
}
