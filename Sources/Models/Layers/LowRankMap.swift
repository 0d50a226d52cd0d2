// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Synchronization

/// A linear map as a product of two narrow ones: y = V·(U·x).
struct LowRankMap {
  /// How the factors begin.
  enum Start: String, SettingChoice {
    /// Normal, so that the product has the variance of a Xavier matrix.
    case random
    /// The singular value decomposition of a Xavier matrix, truncated.
    case svd
  }

  /// U, [r, inputs].
  let reduce: Parameter
  /// V, [outputs, r].
  let expand: Parameter

  init(_ inputs: Int, _ outputs: Int, rank: Int, _ start: Start, _ scope: ParameterScope) {
    let initializers = Self.initializers(start, inputs, outputs, rank)
    reduce = scope.weight("reduce.weight", [rank, inputs], initializers.reduce)
    expand = scope.weight("expand.weight", [outputs, rank], initializers.expand)
  }

  /// The rank from which on two narrow matrices have no fewer values than one dense matrix.
  static func limit(_ inputs: Int, _ outputs: Int) -> Int {
    inputs * outputs / (inputs + outputs)
  }

  private static func initializers(
    _ start: Start, _ inputs: Int, _ outputs: Int, _ rank: Int
  ) -> (reduce: Initializer, expand: Initializer) {
    switch start {
    case .random:
      let sum = Double(rank) * Double(inputs + outputs)
      return (
        .normal(1 / Double(inputs).squareRoot()), .normal((2 * Double(inputs) / sum).squareRoot())
      )
    case .svd:
      let draw = FactorDraw(inputs, outputs, rank)
      return (.drawn { random, _ in draw.reduce(&random) }, .drawn { _, _ in draw.expand() })
    }
  }
}

/// Both factors of one random matrix: drawn for the first, kept for the second.
private final class FactorDraw: Sendable {
  private let inputs: Int
  private let outputs: Int
  private let rank: Int
  private let kept = Mutex<[Float]?>(nil)

  init(_ inputs: Int, _ outputs: Int, _ rank: Int) {
    self.inputs = inputs
    self.outputs = outputs
    self.rank = rank
  }

  func reduce(_ random: inout RandomStream) -> [Float] {
    let limit = (6 / Double(inputs + outputs)).squareRoot()
    let matrix = (0..<inputs * outputs).map { _ in
      Float((2 * random.uniform() - 1) * limit)
    }
    let factors = SingularValues(matrix, rows: outputs, columns: inputs).factors(rank: rank)
    kept.withLock { $0 = factors.expand }
    return factors.reduce
  }

  /// - Precondition: the other factor was drawn, as weights are in the order in which they are made.
  func expand() -> [Float] {
    guard let factor = kept.withLock({ $0 }) else {
      preconditionFailure("low-rank map: V is drawn before U")
    }
    return factor
  }
}
