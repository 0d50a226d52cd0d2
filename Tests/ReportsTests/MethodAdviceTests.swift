// SPDX-License-Identifier: Apache-2.0

import Base
import Reports
import Testing

@Suite("Advice on methods")
struct MethodAdviceTests {
  /// A ladder of ListOps whose row `int8` makes the file 4 times smaller.
  private func ladder(_ verdict: LadderRow.Verdict) throws -> LadderRecord {
    var ladder = try LadderTablesTests.record()
    ladder.rows[1].bytes = 1000
    ladder.rows[1].comparison = LadderRow.Comparison(
      loss: 0.01, error: 0.005, probability: 0.2, verdict: verdict)
    return ladder
  }

  private func advice(
    _ goal: MethodAdvice.Goal?, _ ladders: [LadderRecord], task: String = "listops"
  ) throws -> Advice {
    try Advice(
      Advice.Question(task: task, length: 2000, goal: goal), runs: [], ladders: ([], ladders))
  }

  @Test("A goal names the method of a ladder that was not inferior, with the figures behind")
  func measured() throws {
    let text = try advice(.file, [ladder(.notInferior)]).text
    #expect(text.hasPrefix("A smaller file: take int8 on transformer, 4.00x."))
    for part in ["39.0 % ± 1.0 %", "1.8", "not inferior", "published", "small train.steps=100"] {
      #expect(text.contains(part), "\(part)\n\(text)")
    }
    let latency = try advice(.latency, [ladder(.better)]).text
    #expect(latency.contains("take int8 on transformer, 2.00x"))
  }

  @Test("Where nothing was measured, or nothing shown, it says so and how to measure it")
  func unmeasured() throws {
    let text = try advice(.trainMemory, [ladder(.notInferior)]).text
    #expect(text.hasPrefix("Less training memory: not measured on listops."))
    #expect(text.contains("ladder --task listops --model transformer --goal train-memory"))
    #expect(text.contains("by what others report"))
    let shown = try advice(.file, [ladder(.notShown)]).text
    #expect(shown.contains("not measured on listops to be as accurate as before"))
    #expect(shown.contains("4.00x"))
    #expect(try advice(.file, [ladder(.notInferior)], task: "text").text.contains("not measured"))
    let all = try advice(nil, [ladder(.notInferior)]).text
    #expect(all.contains("take int8") && all.contains("Methods for train-time, train-memory"))
  }

  @Test("Labels go by self-pretrained runs beside those from scratch")
  func labels() throws {
    var pretrained = try SyntheticRun(model: "s4d", correct: 600).record()
    pretrained.result?.pretraining = "masked"
    let scratch = try SyntheticRun(model: "s4d", correct: 400).record()
    let text = try Advice(
      Advice.Question(task: "listops", length: 2000, goal: .labels), runs: [scratch, pretrained]
    ).text
    #expect(text.contains("take self-pretraining on s4d, +20.0 points"), "\(text)")
    let unknown = try advice(.labels, []).text
    #expect(unknown.contains("not measured on listops") && unknown.contains("pretrain-epochs"))
  }

  @Test("No line is wider than a hundred columns")
  func width() throws {
    let runs = ["transformer", "nystromformer"].flatMap { model in
      (0..<2).map { seed in
        SyntheticRun(
          model: model, seed: seed, steps: 5000, correct: 380, seconds: 60_000,
          changed: "train.clip train.learning-rate train.weight-decay train.label-smoothing",
          extra: [
            "train.clip": 1, "train.learning-rate": 0.001, "train.weight-decay": 0.01,
            "train.label-smoothing": 0.1,
          ])
      }
    }
    let advice = try Advice(
      Advice.Question(task: "listops", length: 2000, memory: 1 << 20, time: 1),
      runs: runs.map { try $0.record() },
      speed: syntheticSpeed("linear", 1, 1, lengths: [1024, 4096]),
      ladders: ([ladder(.notInferior)], []))
    for line in advice.text.split(separator: "\n") {
      // A command is one line, so that it can be copied.
      #expect(line.count <= 100 || line.hasPrefix("  ") && line.contains("leaderboard"), "\(line)")
    }
    #expect(wrapped("a bb ccc", width: 4, indent: " ") == "a bb\n ccc")
  }
}
