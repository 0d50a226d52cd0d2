// SPDX-License-Identifier: Apache-2.0

import Models
import Runs
import Tasks

/// How far two models give the same answers, to what neither was made with.
package struct Agreement: Encodable {
  /// Validation examples that both answered.
  package let count: Int
  /// How many of them they answered alike.
  package let same: Int
  /// The least cosine of an example's two rows of logits.
  package let leastCosine: Double

  /// Lets both answer the first validation examples.
  ///
  /// - Throws: `UserError` for data that cannot be read.
  package init(
    _ first: Classifier, _ second: Classifier, _ task: any ArenaTask, batch: Int, count: Int = 100
  ) throws {
    let source = FirstExamples(try task.examples(.val), count: count)
    var answers: [[Prediction]] = [[], []]
    for (index, model) in [first, second].enumerated() {
      _ = try Evaluator(model, task, batch: batch).run(
        source, visit: { answers[index].append($0) })
    }
    self.count = answers[0].count
    let pairs = zip(answers[0], answers[1])
    same = pairs.count { $0.pred == $1.pred }
    leastCosine = pairs.map { Self.cosine($0.logits, $1.logits) }.min() ?? 1
  }

  private static func cosine(_ a: [Float], _ b: [Float]) -> Double {
    let dot = { (a: [Float], b: [Float]) in
      zip(a, b).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    }
    let norms = (dot(a, a) * dot(b, b)).squareRoot()
    return norms > 0 ? dot(a, b) / norms : 1
  }
}
