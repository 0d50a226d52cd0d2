// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Foundation
import Synchronization
import TestSupport
import Testing

extension EngineTests {
  /// Every case of the table against its oracle.
  @Suite("Operations")
  struct OpTests {
    /// Sums of up to 300 products in 32 bits are good to about 1e-6 of the largest term; a
    /// polynomial exponential adds 1e-7.
    static let forwardTolerance = 5e-6
    /// The same, once more through the pullback and the sums over rows.
    static let gradientTolerance = 2e-5

    @Test("The result is the oracle's", arguments: OpCases.all)
    func forward(op: OpCase) {
      #expect(op.forwardError() <= Self.forwardTolerance)
    }

    @Test("The gradients are the oracle's derivatives", arguments: OpCases.all)
    func gradient(op: OpCase) {
      let errors = op.gradientErrors()
      #expect(errors.allSatisfy { $0 <= Self.gradientTolerance }, "\(errors)")
    }

    /// Both users of a tensor contribute: g₁ + g₂, for leaves and for results of other operations.
    @Test("Gradients add up where a tensor is used twice", arguments: OpCases.all)
    func accumulation(op: OpCase) throws {
      let data = op.data
      let first = op.sum(op.oracle(op.matrices(data)))
      var random = RandomData(op.name + " other rows")
      let second = first.withOtherRows(&random)
      let alone = [first, second].map { sum in
        let leaves = op.tensors(data).map(\.tracked)
        sum(op.operation(leaves)).backward()
        return leaves.map { $0.gradient?.values ?? [] }
      }
      for indirect in [false, true] {
        let leaves = op.tensors(data).map(\.tracked)
        let inputs = indirect ? leaves.map { stacked([$0]) } : leaves
        let both = stacked([op.operation(inputs), op.operation(inputs)])
        first.above(second)(both).backward()
        for (index, leaf) in leaves.enumerated() {
          let found = try #require(leaf.gradient).values
          let expected = zip(alone[0][index], alone[1][index]).map { $0 + $1 }
          let scale = max(expected.map(abs).max() ?? 0, 1e-4)
          #expect(distance(found, expected) <= 2e-6 * scale, "input \(index), indirect \(indirect)")
        }
      }
    }

    @Test("The same input gives the same bits, also beside a second thread", arguments: OpCases.all)
    func determinism(op: OpCase) {
      let expected = op.run()
      let runs = Mutex<[[[UInt32]]]>([])
      DispatchQueue.concurrentPerform(iterations: 3) { _ in
        let run = op.run()
        runs.withLock { $0.append(run) }
      }
      #expect(runs.withLock { $0 }.allSatisfy { $0 == expected })
    }

    @Test("Inputs stay as they are", arguments: OpCases.all)
    func inputsUnchanged(op: OpCase) {
      let data = op.data
      let tensors = op.tensors(data)
      let y = op.operation(tensors.map(\.tracked))
      let result = y.values
      op.sum(op.oracle(op.matrices(data)))(y).backward()
      for (tensor, values) in zip(tensors, data) { #expect(tensor.values == values) }
      #expect(y.values == result)
    }

    /// Inputs are such that rounding leaves them alone; what an operation keeps of its result is not.
    ///
    /// Nobody rounds what a reversible sum computes its input from.
    @Test(
      "What was saved may have been rounded until it is read",
      arguments: OpCases.all.filter { !$0.name.hasPrefix("reversible") })
    func rounded(op: OpCase) throws {
      let data = op.data.map { $0.map { Float(bitPattern: $0.bitPattern & 0xFFFF_0000) } }
      let gradients = try [false, true].map { rounds in
        let leaves = op.tensors(data).map(\.tracked)
        let inputs = leaves.map { stacked([$0]) }
        let y = stacked([op.operation(inputs)])
        if rounds {
          y.roundSaved(from: try #require(inputs.max { $0.count < $1.count }))
        }
        var random = RandomData(op.name + " sum")
        RandomSum(rows: y.rows, columns: y.columns, &random)(y).backward()
        return try leaves.map { try #require($0.gradient).values }
      }
      for (found, expected) in zip(gradients[1], gradients[0]) {
        let scale = max(expected.map(abs).max() ?? 0, 1e-4)
        #expect(distance(found, expected) <= 0.03 * scale)
      }
    }

    @Test("Constants get no gradient, and nothing is recorded for them", arguments: OpCases.all)
    func constants(op: OpCase) {
      let tensors = op.tensors(op.data)
      #expect(op.operation(tensors).gradient == nil)
      for index in tensors.indices {
        var inputs = tensors
        inputs[index] = inputs[index].tracked
        let y = op.operation(inputs)
        var random = RandomData(op.name + " sum")
        RandomSum(rows: y.rows, columns: y.columns, &random)(y).backward()
        let single = inputs[index].gradient?.values.map(\.bitPattern)
        #expect(single == op.run()[index + 1], "input \(index)")
      }
    }
  }
}
