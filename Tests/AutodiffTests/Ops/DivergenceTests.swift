// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Testing

extension EngineTests {
  /// What is known of the divergence beyond its formula.
  @Suite struct DivergenceTests {
    private func gradient(
      _ logits: [Float], from target: [Float], temperature: Float
    ) -> (loss: Float, gradient: [Float]) {
      let x = Tensor(shape: [1, logits.count], logits).tracked
      let loss = divergence(
        x, from: Tensor(shape: [1, target.count], target), temperature: temperature)
      loss.backward()
      return (loss.scalar, x.gradient?.values ?? [])
    }

    @Test("A worked example")
    func golden() {
      let (loss, found) = gradient([1, 0, -1], from: [2, 0, -2], temperature: 2)
      #expect(abs(loss - 0.241076) < 1e-6)
      for (value, expected) in zip(found, [-0.317521, 0.124935, 0.192586] as [Float]) {
        #expect(abs(value - expected) < 1e-6)
      }
    }

    @Test("The same answers are no distance apart, whatever is added to all logits")
    func same() {
      let (loss, found) = gradient([3, -1, 0.5], from: [13, 9, 10.5], temperature: 2)
      #expect(abs(loss) < 1e-7 && found.allSatisfy { abs($0) < 1e-7 })
    }

    @Test("At a high temperature the gradient is the difference of the centred logits over C")
    func highTemperature() {
      let (student, teacher): ([Float], [Float]) = ([1, 0, -1, 2], [2, 0, -2, 1])
      let found = gradient(student, from: teacher, temperature: 1000).gradient
      let centred = { (x: [Float]) in x.map { $0 - x.reduce(0, +) / 4 } }
      for (value, pair) in zip(found, zip(centred(student), centred(teacher))) {
        #expect(abs(value - (pair.0 - pair.1) / 4) < 1e-3)
      }
    }

    @Test("Logits far apart stay finite")
    func extremes() {
      let (loss, found) = gradient([1000, 0], from: [0, 1000], temperature: 1)
      #expect(abs(loss - 1000) < 1 && found == [1, -1])
    }
  }
}
