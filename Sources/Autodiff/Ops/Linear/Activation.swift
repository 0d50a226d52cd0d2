// SPDX-License-Identifier: Apache-2.0

/// An elementwise function between two linear maps.
package enum Activation: String, Sendable, Codable, CaseIterable {
  /// x
  case identity
  /// max(x, 0)
  case relu
  /// x·σ(2u) with u = √(2/π)·(x + 0.044715·x³): the tanh form of Hendrycks and Gimpel (2016),
  /// arXiv 1606.08415, as the LRA code computes it. The exact form differs by less than 0.0005.
  case gelu

  /// y = f(x); y may be x.
  func apply(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int
  ) {
    switch self {
    case .identity: if x != UnsafePointer(y) { y.update(from: x, count: count) }
    case .relu: for i in 0..<count { y[i] = max(x[i], 0) }
    case .gelu: Gelu.apply(x, y, count)
    }
  }

  /// Replaces dy by dy·f'(x).
  func applySlope(_ x: UnsafePointer<Float>, _ dy: UnsafeMutablePointer<Float>, count: Int) {
    switch self {
    case .identity: break
    case .relu: for i in 0..<count where x[i] <= 0 { dy[i] = 0 }
    case .gelu: Gelu.applySlope(x, dy, count)
    }
  }

  /// Writes f(x) and f'(x), for the price of one exponential; the slope may take the place of x.
  func applyKeepingSlope(
    _ x: UnsafePointer<Float>, value: UnsafeMutablePointer<Float>,
    slope: UnsafeMutablePointer<Float>, count: Int
  ) {
    switch self {
    case .identity:
      value.update(from: x, count: count)
      slope.update(repeating: 1, count: count)
    case .relu:
      for i in 0..<count {
        value[i] = max(x[i], 0)
        slope[i] = x[i] > 0 ? 1 : 0
      }
    case .gelu: Gelu.applyKeepingSlope(x, value, slope, count)
    }
  }
}

/// The loops of ``Activation/gelu``: written out, since a closure that two loops call is a call for
/// each vector.
private enum Gelu {
  /// x·σ(2u).
  static func apply(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    let whole = count / laneCount * laneCount
    for i in stride(from: 0, to: whole, by: laneCount) {
      let v = load(x + i)
      store(v * gate(v), y + i)
    }
    let rest = load(x + whole, count: count - whole)
    store(rest * gate(rest), y + whole, count: count - whole)
  }

  static func applySlope(
    _ x: UnsafePointer<Float>, _ dy: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    let whole = count / laneCount * laneCount
    for i in stride(from: 0, to: whole, by: laneCount) {
      let v = load(x + i)
      store(load(dy + i) * slope(v, gate(v)), dy + i)
    }
    let rest = load(x + whole, count: count - whole)
    let product = load(dy + whole, count: count - whole) * slope(rest, gate(rest))
    store(product, dy + whole, count: count - whole)
  }

  static func applyKeepingSlope(
    _ x: UnsafePointer<Float>, _ value: UnsafeMutablePointer<Float>,
    _ slope: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    let whole = count / laneCount * laneCount
    for i in stride(from: 0, to: whole, by: laneCount) {
      let v = load(x + i)
      let gate = gate(v)
      store(v * gate, value + i)
      store(Self.slope(v, gate), slope + i)
    }
    let rest = load(x + whole, count: count - whole)
    let gate = gate(rest)
    store(rest * gate, value + whole, count: count - whole)
    store(Self.slope(rest, gate), slope + whole, count: count - whole)
  }

  /// σ(2u) = 1 / (1 + 2^(-2u·log₂e)).
  @inline(__always)
  private static func gate(_ x: Lanes) -> Lanes {
    sigmoid(binary: x * Lanes(repeating: -2.302_208_2).addingProduct(x * x, -0.102_943_24))
  }

  @inline(__always)
  private static func slope(_ x: Lanes, _ gate: Lanes) -> Lanes {
    let inner = Lanes(repeating: 1.595_769_12).addingProduct(x * x, 0.214_064_49)
    return gate + x * gate * (1 - gate) * inner
  }
}
