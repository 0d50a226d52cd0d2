/// An elementwise function between two linear maps.
public enum Activation: String, Sendable, Codable, CaseIterable {
  /// x
  case identity
  /// max(x, 0)
  case relu
  /// x·σ(2u) with u = √(2/π)·(x + 0.044715·x³): the tanh form of Hendrycks and Gimpel (2016),
  /// arXiv 1606.08415, as the LRA code computes it. The exact form differs by less than 0.0005.
  case gelu

  /// y = f(x).
  @inline(__always)
  func value(_ x: Lanes) -> Lanes {
    switch self {
    case .identity: x
    case .relu: larger(x, Lanes(repeating: 0))
    case .gelu: x * sigmoid(Activation.twiceInner(x))
    }
  }

  /// f'(x).
  @inline(__always)
  func slope(_ x: Lanes) -> Lanes {
    switch self {
    case .identity: return Lanes(repeating: 1)
    case .relu: return Lanes(repeating: 0).replacing(with: 1, where: x .> 0)
    case .gelu:
      let s = sigmoid(Activation.twiceInner(x))
      let inner = Lanes(repeating: 1.595_769_12).addingProduct(
        x * x, Lanes(repeating: 0.214_064_49))
      return s + x * s * (1 - s) * inner
    }
  }

  /// Writes f(x) and replaces x by f'(x), for the price of one exponential.
  func applyKeepingSlope(
    _ x: UnsafeMutablePointer<Float>, value: UnsafeMutablePointer<Float>, count: Int
  ) {
    forLanes(count) { i, width in
      let argument = width == laneCount ? load(x + i) : load(x + i, count: width)
      let (y, slope) = (self.value(argument), self.slope(argument))
      if width == laneCount {
        store(y, value + i)
        store(slope, x + i)
      } else {
        store(y, value + i, count: width)
        store(slope, x + i, count: width)
      }
    }
  }

  @inline(__always)
  private static func twiceInner(_ x: Lanes) -> Lanes {
    x * Lanes(repeating: 1.595_769_12).addingProduct(x * x, Lanes(repeating: 0.071_354_82))
  }

  /// Replaces x by f(x).
  func apply(_ x: UnsafeMutablePointer<Float>, count: Int) {
    if self == .identity { return }
    forLanes(count) { i, width in
      if width == laneCount {
        store(value(load(x + i)), x + i)
      } else {
        store(value(load(x + i, count: width)), x + i, count: width)
      }
    }
  }

  /// Replaces dy by dy·f'(x).
  func applySlope(_ x: UnsafePointer<Float>, _ dy: UnsafeMutablePointer<Float>, count: Int) {
    if self == .identity { return }
    forLanes(count) { i, width in
      if width == laneCount {
        store(load(dy + i) * slope(load(x + i)), dy + i)
      } else {
        store(load(dy + i, count: width) * slope(load(x + i, count: width)), dy + i, count: width)
      }
    }
  }

  @inline(__always)
  private func forLanes(_ count: Int, _ body: (Int, Int) -> Void) {
    var i = 0
    while i + laneCount <= count {
      body(i, laneCount)
      i += laneCount
    }
    if i < count { body(i, count - i) }
  }
}
