// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Foundation
import Tasks
import TestSupport
import Testing
import Training

/// The example of ``Objective``.
private struct SoftenedClassification: Objective {
  /// Divides the logits, [C].
  let temperatures: [Float]

  func callAsFunction(_ logits: Tensor, _ batch: Batch, count: Int) -> ObjectiveTerm {
    let scales = Tensor(shape: [temperatures.count], temperatures.map { 1 / $0 })
    return Classification()(scaledColumns(logits, scales: scales), batch, count: count)
  }
}

@Suite struct ObjectiveTests {
  private let labels: [Int32] = [2, 0, 2, 1]

  private func batch(_ labels: [Int32]) -> Batch {
    Batch(tokens: [], offsets: [], labels: labels, examples: [])
  }

  @Test(
    "Classification counts right answers, the first of equals, and takes the mean over the batch")
  func classification() {
    let logits = Tensor(shape: [4, 3], [0, 1, 3, 2, 2, 0, 5, 1, 5, 0, 1, 0])
    let whole = Classification()(logits, batch(labels), count: 4)
    #expect(whole.correct == 3)
    let expected = labels.enumerated().reduce(0.0) { sum, example in
      let row = logits.values[3 * example.offset..<3 * example.offset + 3].map(Double.init)
      return sum + log(row.reduce(0) { $0 + exp($1) }) - row[Int(example.element)]
    }
    #expect(abs(Double(whole.loss.scalar) - expected / 4) < 1e-6)
  }

  @Test("A trainer follows the objective that it is given")
  func other() throws {
    try withTemporaryFolder { folder in
      let configuration = try tinyConfiguration(folder)
      let batch = try tinyBatch(configuration, step: 1)
      let report = { (objective: any Objective) in
        try Trainer(
          configuration.makeModel(), configuration.training, objective: objective
        ).step(1, batch)
      }
      let usual = try report(Classification())
      let classes = configuration.model.classes
      let same = try report(
        SoftenedClassification(temperatures: [Float](repeating: 1, count: classes)))
      #expect(same.loss == usual.loss && same.gradientNorm == usual.gradientNorm)
      let flat = try report(
        SoftenedClassification(temperatures: [Float](repeating: 1e6, count: classes)))
      #expect(abs(flat.loss - log(Double(classes))) < 1e-4)
      #expect(flat.gradientNorm < 1e-4 * usual.gradientNorm)
      #expect(flat.correct == usual.correct && flat.count == usual.count)
    }
  }
}
