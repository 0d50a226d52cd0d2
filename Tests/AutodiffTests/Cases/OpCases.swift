// SPDX-License-Identifier: Apache-2.0

import Autodiff
import TestSupport
import Testing

/// All tests of the engine, one after the other: some of them look at counters of the process.
@Suite("Autodiff", .serialized)
enum EngineTests {}

/// One operation at one size: what it computes, and the same in double precision.
///
/// Adding an operation to the engine means adding a case here; a test fails if a model uses one
/// that no case covers.
struct OpCase: Sendable, CustomTestStringConvertible {
  /// The shape of one tensor and its values: random ones, and what is added to them at a row and
  /// column.
  struct Input: Sendable {
    let shape: [Int]
    let range: ClosedRange<Float>
    let offset: @Sendable (Int, Int) -> Float

    init(
      _ shape: Int..., range: ClosedRange<Float> = -1...1,
      offset: @escaping @Sendable (Int, Int) -> Float = { _, _ in 0 }
    ) {
      self.init(shape: shape, range: range, offset: offset)
    }

    var count: Int { shape.reduce(1, *) }

    init(
      shape: [Int], range: ClosedRange<Float>, offset: @escaping @Sendable (Int, Int) -> Float
    ) {
      self.shape = shape
      self.range = range
      self.offset = offset
    }

    func values(_ random: inout RandomData) -> [Float] {
      let columns = count / max(shape[0], 1)
      return random.floats(count, in: range).enumerated().map { place, value in
        value + offset(place / columns, place % columns)
      }
    }
  }

  let name: String
  /// Its row in the profile.
  let profiled: String
  let inputs: [Input]
  let operation: @Sendable ([Tensor]) -> Tensor
  let oracle: @Sendable ([Matrix]) -> Matrix

  init(
    _ name: String, profiled: String, _ inputs: [Input],
    operation: @escaping @Sendable ([Tensor]) -> Tensor,
    oracle: @escaping @Sendable ([Matrix]) -> Matrix
  ) {
    self.name = name
    self.profiled = profiled
    self.inputs = inputs
    self.operation = operation
    self.oracle = oracle
  }

  /// The same operation with values v of one input replaced by `factor`·v + `offset`.
  func with(_ input: Int, times factor: Float = 1, plus offset: Float = 0) -> OpCase {
    var all = inputs
    let before = inputs[input]
    let range =
      before.range.lowerBound * factor + offset...before.range.upperBound * factor + offset
    all[input] = Input(shape: before.shape, range: range) { factor * before.offset($0, $1) }
    return OpCase(
      "\(name), input \(input) times \(factor) plus \(offset)", profiled: profiled, all,
      operation: operation, oracle: oracle)
  }

  var testDescription: String { name }

  /// The values of the inputs, always the same for one case.
  var data: [[Float]] {
    var random = RandomData(name)
    return inputs.map { $0.values(&random) }
  }

  /// Fresh tensors with these values.
  func tensors(_ data: [[Float]]) -> [Tensor] {
    zip(inputs, data).map { Tensor(shape: $0.shape, $1) }
  }

  /// The same values for the oracle.
  func matrices(_ data: [[Float]]) -> [Matrix] {
    zip(inputs, data).map { input, values in
      Matrix(input.shape[0], input.count / max(input.shape[0], 1), values.map(Double.init))
    }
  }

  /// The weights of the scalar that the tests differentiate.
  func sum(_ y: Matrix) -> RandomSum {
    var random = RandomData(name + " sum")
    return RandomSum(rows: y.rows, columns: y.columns, &random)
  }

  /// How far the result is from the oracle's, in units of the largest element.
  ///
  /// - Parameter floor: the least unit.
  func forwardError(floor: Double = 1e-3) -> Double {
    let data = data
    let y = operation(tensors(data))
    let expected = oracle(matrices(data))
    let found = y.values
    guard y.rows == expected.rows && y.columns == expected.columns && found.allSatisfy(\.isFinite)
    else { return .infinity }
    let scale = max(expected.values.map(abs).max() ?? 0, floor)
    return (zip(found, expected.values).map { abs(Double($0) - $1) }.max() ?? 0) / scale
  }

  /// How far the gradient of each input is from the oracle's derivative, in units of its size.
  ///
  /// - Parameter step: the oracle's, for central differences.
  func gradientErrors(step: Double = 1e-6) -> [Double] {
    let data = data
    let leaves = tensors(data).map(\.tracked)
    let point = matrices(data)
    let sum = sum(oracle(point))
    sum(operation(leaves)).backward()
    var random = RandomData(name + " directions")
    return leaves.enumerated().map { index, leaf in
      guard let gradient = leaf.gradient else { return .infinity }
      return gradientError(
        gradient.values, of: { sum(oracle($0)) }, at: point, argument: index,
        floor: 0.01 * sum.norm, step: step, &random)
    }
  }

  /// The result, and the gradients of all inputs, as bits.
  func run() -> [[UInt32]] {
    let data = data
    let leaves = tensors(data).map(\.tracked)
    let y = operation(leaves)
    var random = RandomData(name + " sum")
    let result = y.values
    RandomSum(rows: y.rows, columns: y.columns, &random)(y).backward()
    return ([result] + leaves.map { $0.gradient?.values ?? [] }).map { $0.map(\.bitPattern) }
  }
}

/// The table.
enum OpCases {
  static let all =
    rows + blocks + attention + patterns + leading + hashed + kernels + sequences + landmarks
    + batchNorms + sorts + recurrence + synthesized + narrow + pairs + basic
}
