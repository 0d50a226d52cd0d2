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
