// SPDX-License-Identifier: Apache-2.0

import Runs
import Testing
import Training

/// Evaluations of a split, whole or in part.
@Suite("Evaluator")
struct EvaluatorTests {
  @Test("From an example on, the result is that of the rest", arguments: [0, 13])
  func rest(first: Int) throws {
    try withTemporaryFolder { folder in
      let configuration = try tinyConfiguration(folder)
      try configuration.task.prepare { _ in }
      let source = try configuration.task.examples(.val)
      let evaluator = Evaluator(try configuration.makeModel(), configuration.task, batch: 7)
      var answers: [Prediction] = []
      let result = try evaluator.run(source, from: first, visit: { answers.append($0) })
      #expect(answers.map(\.id) == Array(first..<source.count))
      #expect(result == Evaluation(answers))
    }
  }

  @Test("An answer's loss is the cross-entropy of its logits, however large they are")
  func loss() {
    for offset in [Float(0), 1000] {
      let answer = Prediction(
        id: 0, label: 1, pred: 0, logits: [2 + offset, 1 + offset], data: nil)
      #expect(abs(answer.loss - 1.3132616875) < 1e-6)
    }
  }
}
