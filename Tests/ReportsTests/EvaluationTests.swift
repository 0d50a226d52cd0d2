// SPDX-License-Identifier: Apache-2.0

import Base
import Reports
import Runs
import Testing

@Suite("Scores of an evaluation")
struct EvaluationTests {
  private func prediction(_ label: Int, _ logits: [Float]) -> Prediction {
    let pred = logits.indices.max { logits[$0] < logits[$1] } ?? 0
    return Prediction(id: 0, label: label, pred: pred, logits: logits, data: nil)
  }

  @Test("The area under the curve counts pairs, equal scores half")
  func area() {
    let scores = [(0.9, true), (0.8, false), (0.8, true), (0.3, true), (0.3, false), (0.1, false)]
    var pairs = 0.0
    for (positive, _) in scores.filter(\.1) {
      for (negative, _) in scores.filter({ !$0.1 }) {
        pairs += positive > negative ? 1 : positive == negative ? 0.5 : 0
      }
    }
    let area = areaUnderCurve(scores.map { (score: $0.0, isPositive: $0.1) })
    #expect(area == pairs / 9)
    #expect(areaUnderCurve([(score: 1, isPositive: true)]) == nil)
    #expect(areaUnderCurve([]) == nil)
  }

  @Test("Precision, recall and F1 of each class, and nothing where they have no meaning")
  func classes() {
    let answers = [
      prediction(0, [2, 1, 0]), prediction(0, [1, 2, 0]), prediction(1, [0, 2, 1]),
      prediction(1, [0, 3, 1]), prediction(1, [3, 1, 0]),
    ]
    let scores = ClassScores.all(answers, names: ["a", "b", "c"])
    #expect(scores.map(\.examples) == [2, 3, 0])
    #expect(scores[0].precision == 0.5 && scores[0].recall == 0.5 && scores[0].f1 == 0.5)
    #expect(scores[1].precision == 2.0 / 3 && scores[1].recall == 2.0 / 3)
    #expect(scores[2].precision == nil && scores[2].recall == nil && scores[2].auc == nil)
    let mean = ClassScores.mean(scores)
    #expect(mean.examples == 5 && mean.recall == (0.5 + 2.0 / 3) / 2)
    let table = EvaluationTables.classes(scores)
    #expect(
      table.csv.hasPrefix("class,examples,\"precision, %\",\"recall, %\",\"F1, %\",\"AUC, %\""))
    #expect(table.rows.last?.first?.text == "mean" && table.text.contains("-"))
    let confusion = Confusion(answers, classes: 3)
    #expect(
      EvaluationTables.confusion(confusion, names: ["a", "b", "c"]).rows.map { $0.map(\.text) }
        == [["a", "1", "1", "0"], ["b", "1", "2", "0"], ["c", "0", "0", "0"]])
  }

  @Test("Accuracy by length: value by value where there are few, else ranges of as many examples")
  func ranges() {
    let right = prediction(0, [1, 0])
    let wrong = prediction(1, [1, 0])
    let few = AccuracyByMeasure("depth", [right, wrong, right], values: [2, 1, 2])
    #expect(few.ranges.map(\.from) == [1, 2] && few.ranges.map(\.count) == [1, 2])
    #expect(few.ranges.map(\.accuracy) == [0, 1] && few.ranges.map(\.majorityShare) == [1, 1])
    let values = Array(1...100)
    let many = AccuracyByMeasure(
      "length", values.map { $0 % 2 == 0 ? right : wrong }, values: values)
    #expect(many.ranges.count == 10 && many.ranges.allSatisfy { $0.count == 10 })
    #expect(many.ranges[3].from == 31 && many.ranges[3].to == 40 && many.ranges[3].correct == 5)
    let equal = AccuracyByMeasure(
      "length", values.map { _ in right }, values: values.map { $0 < 60 ? 7 : $0 })
    #expect(equal.ranges.first?.count == 59 && equal.ranges.reduce(0) { $0 + $1.count } == 100)
    #expect(AccuracyByMeasure("length", [], values: []).ranges.isEmpty)
  }
}
