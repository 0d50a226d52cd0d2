/// Exchanges rows and columns of 16 × 16 floats.
///
/// Taking the even elements of each pair of rows to the first half of the rows, and the odd ones to
/// the second, moves the lowest bit of a column's number to the top of the row's, and all others
/// down; four rounds exchange the numbers.
///
/// - Parameter block: sixteen rows, and room for sixteen more.
@inline(__always)
func transpose(_ block: UnsafeMutablePointer<Lanes>) {
  for round in 0..<4 {
    let from = block + (round % 2) * laneCount
    let to = block + (1 - round % 2) * laneCount
    for i in 0..<laneCount / 2 {
      let (a, b) = (from[2 * i], from[2 * i + 1])
      to[i] = Lanes(lowHalf: a.evenHalf, highHalf: b.evenHalf)
      to[i + laneCount / 2] = Lanes(lowHalf: a.oddHalf, highHalf: b.oddHalf)
    }
  }
}

/// Calls `body` with room for ``transpose(_:)``.
///
/// It lies on the stack, where a temporary allocation of this size and alignment would not.
@inline(__always)
func withTransposeBlock(_ body: (UnsafeMutablePointer<Lanes>) -> Void) {
  var block = InlineArray<32, Lanes>(repeating: Lanes())
  withUnsafeMutablePointer(to: &block) {
    $0.withMemoryRebound(to: Lanes.self, capacity: 2 * laneCount, body)
  }
}
