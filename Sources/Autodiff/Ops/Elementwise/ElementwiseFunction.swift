// SPDX-License-Identifier: Apache-2.0

/// A function of one number, for models to be put together from.
package enum ElementwiseFunction: String, Sendable, CaseIterable {
  /// e^x
  case exp
  /// ln x, of numbers above zero
  case log
  /// 1 / (1 + e^(−x))
  case sigmoid
  /// 2σ(2x) − 1
  case tanh
  /// max(x, 0)
  case relu
  /// The tanh form of the Gaussian error linear unit, as ``Activation/gelu``.
  case gelu
  /// √x, of numbers above zero
  case squareRoot = "square root"
  /// x²
  case square
  /// 1/x
  case reciprocal
  /// |x|
  case absolute
  /// −x
  case negation

  /// f(x).
  @inline(__always)
  func value(_ x: Lanes) -> Lanes {
    switch self {
    case .exp: Autodiff.exp(x)
    case .log: log2(x) * 0.693_147_18
    case .sigmoid: Autodiff.sigmoid(x)
    case .tanh: Lanes(repeating: -1).addingProduct(Autodiff.sigmoid(x + x), 2)
    case .relu: lanewiseMax(x, Lanes())
    case .gelu: x * Autodiff.sigmoid(Self.gateLogit(x))
    case .squareRoot: x.squareRoot()
    case .square: x * x
    case .reciprocal: 1 / x
    case .absolute: lanewiseMax(x, -x)
    case .negation: -x
    }
  }

  /// f'(x), given y = f(x).
  @inline(__always)
  func slope(_ x: Lanes, _ y: Lanes) -> Lanes {
    switch self {
    case .exp: y
    case .log: 1 / x
    case .sigmoid: y * (1 - y)
    case .tanh: 1 - y * y
    case .relu: Lanes().replacing(with: 1, where: x .> 0)
    case .gelu: Self.gateSlope(x, Autodiff.sigmoid(Self.gateLogit(x)))
    case .squareRoot: 0.5 / y
    case .square: x + x
    case .reciprocal: -(y * y)
    case .absolute: Lanes(repeating: -1).replacing(with: 1, where: x .> 0)
    case .negation: Lanes(repeating: -1)
    }
  }

  /// 2√(2/π)·(x + 0.044715·x³), whose sigmoid is GELU's gate.
  @inline(__always)
  private static func gateLogit(_ x: Lanes) -> Lanes {
    x * Lanes(repeating: 1.595_769_12).addingProduct(x * x, 0.071_354_82)
  }

  @inline(__always)
  private static func gateSlope(_ x: Lanes, _ gate: Lanes) -> Lanes {
    gate + x * gate * (1 - gate) * Lanes(repeating: 1.595_769_12).addingProduct(x * x, 0.214_064_49)
  }
}

/// y = f(x), number by number.
///
/// - Parameter x: any shape.
/// - Returns: of the same shape.
/// - Complexity: O(numbers).
///
/// Saves: x and y. The pullback is dx = f'(x)·dy.
package func elementwise(_ function: ElementwiseFunction, _ x: Tensor) -> Tensor {
  let result = Storage(count: x.storage.count)
  let name = function.rawValue
  profileRows(name, x, passes: 2) {
    parallel(x.count, by: 1 << 12) { range, _ in
      forLanes(range) { i, width in
        // Lanes beyond the end hold what every function takes.
        store(
          function.value(load(x.pointer + i, count: width, fill: 1)), result.pointer + i,
          count: width)
      }
    }
  }
  return Tensor(shape: x.shape, storage: result).recorded(name, from: x) { dy in
    profileRows("\(name) backward", x, passes: 4) {
      parallel(x.count, by: 1 << 12) { range, _ in
        forLanes(range) { i, width in
          let slope = function.slope(
            load(x.pointer + i, count: width, fill: 1),
            load(result.pointer + i, count: width, fill: 1))
          store(load(dy.pointer + i, count: width) * slope, dy.pointer + i, count: width)
        }
      }
    }
    x.node?.accept(dy, count: x.count)
  }
}
