// SPDX-License-Identifier: Apache-2.0

import Base
import Reports
import Testing

@Suite("Advice")
struct AdviceTests {
  private func advice(
    _ runs: [SyntheticRun], _ change: (inout Advice.Question) -> Void = { _ in }
  ) throws -> Advice {
    var question = Advice.Question(task: "listops", length: 2000)
    change(&question)
    return try Advice(question, runs: runs.map { try $0.record() })
  }

  @Test("Of models that are as good, the fastest; others by accuracy; those at chance are out")
  func order() throws {
    let advice = try advice([
      SyntheticRun(model: "transformer", correct: 405, seconds: 600),
      SyntheticRun(model: "linformer", correct: 400, seconds: 100),
      SyntheticRun(model: "local", correct: 300, seconds: 10),
      SyntheticRun(model: "performer", correct: 201, seconds: 1),
    ])
    #expect(advice.candidates.map(\.model) == ["linformer", "transformer", "local"])
    #expect(advice.candidates.map(\.isAsGoodAsTheBest) == [true, true, false])
    #expect(advice.excluded.map(\.objections) == [["no better than chance after 100 steps"]])
    #expect(
      advice.text.hasPrefix(
        "Take linformer: 40.0 % ± 1.5 % (n = 1) in 2 min and 100.0 MiB, with small, 100 steps; "))
    #expect(advice.text.contains("not distinguishable in accuracy, slower: transformer."))
    #expect(!advice.text.contains("Schedules differ"))
  }

  @Test("What needs more memory or time than there is does not fit, and says by how much")
  func limits() throws {
    let runs = [
      SyntheticRun(model: "transformer", correct: 500, seconds: 600),
      SyntheticRun(model: "linformer", correct: 400, seconds: 100),
    ]
    let timed = try advice(runs) { $0.time = 300 }
    #expect(timed.candidates.map(\.model) == ["linformer"])
    #expect(timed.excluded.first?.objections == ["10 min > 5 min"])
    let small = try advice(runs) { $0.memory = 50 << 20 }
    #expect(small.candidates.isEmpty)
    #expect(small.excluded.first?.objections == ["100.0 MiB > 50.0 MiB"])
    #expect(small.text.hasPrefix("No model that was measured fits listops at 2000 tokens."))
  }

  @Test("Different schedules are warned of")
  func schedules() throws {
    let advice = try advice([
      SyntheticRun(), SyntheticRun(model: "s4d", steps: 50, correct: 201, changed: "train.steps"),
    ])
    #expect(advice.text.contains("Schedules differ in length"))
    #expect(advice.excluded.first?.objections == ["no better than chance after 50 steps"])
  }

  @Test("Other tasks and lengths are not measurements of this one")
  func others() throws {
    let advice = try advice([
      SyntheticRun(task: "text"), SyntheticRun(changed: "task.length", length: 512),
    ])
    #expect(advice.candidates.isEmpty)
    #expect(advice.unmeasured.contains("linformer"))
    #expect(throws: UserError.self) {
      try Advice(Advice.Question(task: "listop", length: 1), runs: [])
    }
  }

  private let speed =
    syntheticSpeed("linear", 0.5, 1) + syntheticSpeed("transformer", 1, 2)
    + syntheticSpeed("s4d", 0.1, 1, lengths: [4096])

  @Test("What was not trained has the time and memory of its steps, between two lengths marked so")
  func costs() throws {
    let runs = try [
      SyntheticRun(task: "text", model: "linear", length: 1024),
      SyntheticRun(task: "text", model: "local", correct: 500, length: 2048),
    ].map { try $0.record() }
    let question = Advice.Question(task: "text", length: 2048, memory: 50 << 20)
    let advice = try Advice(question, runs: runs, speed: speed)
    let costs = try #require(advice.costs)
    #expect(costs.rows.map(\.model) == ["linear", "transformer"])
    #expect(costs.rows.map(\.seconds) == [1, 4])
    #expect(costs.rows.map(\.isInterpolated) == [false, false])
    #expect(costs.rows[0].elsewhere.map(\.length) == [1024])
    #expect(advice.unmeasured.contains("linear"))
    #expect(
      advice.text.contains(/linear +1 s  100.0 MiB +40.0 % at 1,024  > 50.0 MiB/), "\(advice.text)")

    let between = try #require(
      try Advice(Advice.Question(task: "text", length: 3000), runs: runs, speed: speed).costs)
    #expect(between.rows.map(\.isInterpolated) == [true, true])
    #expect(abs(between.rows[0].seconds - 3000.0 / 2048) < 1e-9)
  }

  @Test("Steps are those of the processor asked for, or of another where it was not measured")
  func processors() throws {
    var mine = syntheticSpeed("linear", 2, 1)
    for place in mine.indices { mine[place].processor = "Mine" }
    let question = Advice.Question(task: "text", length: 1024)
    let seconds = { (processor: String) in
      try Advice(question, runs: [], speed: speed + mine, processor: processor).costs?.rows[0]
        .seconds
    }
    #expect(try seconds("Mine") == 2)
    #expect(try seconds("Another") == 0.5)
  }

  @Test("Nothing is said beyond the measured lengths, of other sizes, or of pairs")
  func unknownCosts() throws {
    let far = try Advice(Advice.Question(task: "text", length: 5000), runs: [], speed: speed)
    #expect(far.costs == nil)
    #expect(far.text.hasPrefix("No model was trained on text at 5000 tokens yet."))
    let pairs = try Advice(Advice.Question(task: "retrieval", length: 2048), runs: [], speed: speed)
    #expect(pairs.costs == nil)
    var wide = speed
    for place in wide.indices { wide[place].emb = 256 }
    let other = try Advice(Advice.Question(task: "text", length: 2048), runs: [], speed: wide)
    #expect(other.costs == nil)
  }
}
