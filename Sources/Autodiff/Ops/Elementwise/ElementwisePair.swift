// SPDX-License-Identifier: Apache-2.0

/// A function of two numbers, for models to be put together from.
package enum ElementwisePair: String, Sendable, CaseIterable {
  /// a + b
  case sum
  /// a − b
  case difference
  /// a·b
  case product
  /// a/b
  case quotient

  /// f(a, b).
  @inline(__always)
  func value(_ a: Lanes, _ b: Lanes) -> Lanes {
    switch self {
    case .sum: a + b
    case .difference: a - b
    case .product: a * b
    case .quotient: a / b
    }
  }

  /// ∂f/∂a and ∂f/∂b.
  @inline(__always)
  func slopes(_ a: Lanes, _ b: Lanes) -> (a: Lanes, b: Lanes) {
    let one = Lanes(repeating: 1)
    return switch self {
    case .sum: (one, one)
    case .difference: (one, -one)
    case .product: (b, a)
    case .quotient: (1 / b, -a / (b * b))
    }
  }
}

/// y = f(a, b), number by number.
///
/// - Parameters:
///   - a: any shape.
///   - b: of the same shape.
/// - Returns: of the same shape.
/// - Complexity: O(numbers).
///
/// Saves: a and b. The pullback is da = ∂f/∂a·dy, db = ∂f/∂b·dy.
package func elementwise(_ function: ElementwisePair, _ a: Tensor, _ b: Tensor) -> Tensor {
  let name = function.rawValue
  precondition(a.shape == b.shape, "\(name): \(a.shape) and \(b.shape)")
  let result = Storage(count: a.storage.count)
  profileRows(name, a, passes: 3) {
    parallel(a.count, by: 1 << 12) { range, _ in
      forLanes(range) { i, width in
        store(
          function.value(
            load(a.pointer + i, count: width), load(b.pointer + i, count: width, fill: 1)),
          result.pointer + i, count: width)
      }
    }
  }
  return Tensor(shape: a.shape, storage: result).recorded(name, from: a, b) { dy in
    let db = Storage(count: dy.count)
    profileRows("\(name) backward", a, passes: 5) {
      parallel(a.count, by: 1 << 12) { range, _ in
        forLanes(range) { i, width in
          let slopes = function.slopes(
            load(a.pointer + i, count: width), load(b.pointer + i, count: width, fill: 1))
          let d = load(dy.pointer + i, count: width)
          store(d * slopes.b, db.pointer + i, count: width)
          store(d * slopes.a, dy.pointer + i, count: width)
        }
      }
    }
    b.node?.accept(db, count: a.count)
    a.node?.accept(dy, count: a.count)
  }
}
