// SPDX-License-Identifier: Apache-2.0

import CShims

/// Exchanges rows and columns of 16 × 16 floats.
@inline(__always)
func transpose(_ block: UnsafeMutablePointer<Lanes>) { lra_transpose(block) }

/// Calls `body` with room for ``transpose(_:)``.
///
/// It lies on the stack, where a temporary allocation of this size and alignment would not.
@inline(__always)
func withTransposeBlock(_ body: (UnsafeMutablePointer<Lanes>) -> Void) {
  var block = InlineArray<16, Lanes>(repeating: Lanes())
  withUnsafeMutablePointer(to: &block) {
    $0.withMemoryRebound(to: Lanes.self, capacity: laneCount, body)
  }
}

/// Writes the transpose of at most 16 × 16 floats, times `scale`, as rows of sixteen.
///
/// - Parameters:
///   - rows: of the source, any number; columns of the result beyond them become zero.
///   - columns: of the source, rows of the result.
///   - targetRow: floats from one row of the result to the next.
///   - block: room for ``transpose(_:)``.
@inline(__always)
func transposeBlock(
  _ source: UnsafePointer<Float>, row: Int, rows: Int, columns: Int, scale: Float,
  into target: UnsafeMutablePointer<Float>, row targetRow: Int,
  through block: UnsafeMutablePointer<Lanes>
) {
  for j in 0..<laneCount {
    block[j] = j < rows ? load(source + j * row, count: columns) * scale : Lanes()
  }
  transpose(block)
  for i in 0..<columns { store(block[i], target + i * targetRow) }
}
