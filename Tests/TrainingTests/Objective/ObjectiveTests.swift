// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Foundation
import Models
import Tasks
import TestSupport
import Testing
import Training

/// The example of ``Objective``.
private struct SoftenedClassification: Objective {
  /// Divides the logits, [C].
  let temperatures: [Float]

  func callAsFunction(
    _ rows: EncodedSequences, of model: Classifier, _ batch: Batch, count: Int
  ) -> ObjectiveTerm {
    let scales = Tensor(shape: [temperatures.count], temperatures.map { 1 / $0 })
    let logits = scaledColumns(model.logits(rows), scales: scales)
    return Classification()(logits, batch, count: count)
  }
}

/// Tells every token from its row of the residual stream, by a fixed map: no classes, no pooling.
private struct TokenIdentity: Objective {
  /// [V, E].
  let map: Tensor

  func callAsFunction(
    _ rows: EncodedSequences, of model: Classifier, _ batch: Batch, count: Int
  ) -> ObjectiveTerm {
    let logits = linear(rows.rows, weight: map)
    return ObjectiveTerm(
      loss: crossEntropy(logits, labels: batch.tokens, count: count), correct: 0)
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

  @Test("An objective of hidden rows trains the encoder, and no part of the batch counts twice")
  func hiddenRows() throws {
    try withTemporaryFolder { folder in
      let losses = try [1, 2].map { parts in
        let configuration = try tinyConfiguration(folder, ["train.accumulation=\(parts)"])
        let batch = try tinyBatch(configuration, step: 1)
        let model = try configuration.makeModel()
        let shape = [configuration.model.vocabulary, configuration.model.width]
        var random = RandomData("map")
        let map = Tensor(shape: shape, random.floats(shape[0] * shape[1], in: -1...1))
        let encoder = model.parameters.all.filter { !$0.name.hasPrefix("head") }
        let values = { (weight: Parameter) in model.parameters.values.values(weight.range) }
        let before = encoder.map(values)
        let trainer = Trainer(
          model, configuration.training, objective: TokenIdentity(map: map))
        let losses = try (1...5).map { try trainer.step($0, batch).loss }
        #expect(losses[4] < losses[0])
        for (parameter, before) in zip(encoder, before) {
          #expect(values(parameter) != before, "\(parameter.name)")
        }
        return losses[0]
      }
      #expect(abs(losses[0] - losses[1]) < 1e-4 * losses[0])
    }
  }

  @Test("Of classes with the same logit the first is the answer", arguments: [0, 1])
  func ties(label: Int32) {
    let batch = Batch(tokens: [1], offsets: [0, 1], labels: [label], examples: [0])
    let logits = Tensor(shape: [1, 2], [0.5, 0.5])
    #expect(Classification()(logits, batch, count: 1).correct == (label == 0 ? 1 : 0))
  }
}
