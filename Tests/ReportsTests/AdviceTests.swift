// SPDX-License-Identifier: Apache-2.0

import Base
import Reports
import Tasks
import Testing

@Suite("Advice")
struct AdviceTests {
  private func advice(
    _ runs: [SyntheticRun], _ change: (inout Advice.Question) -> Void = { _ in }
  ) throws -> Advice {
    var question = Advice.Question(task: "listops", length: 2000)
    change(&question)
    return try Advice(question, runs: runs.map { try record($0) })
  }

  /// The run, with a validation accuracy as its test's.
  private func record(_ run: SyntheticRun) throws -> RunRecord {
    var record = try run.record()
    record.validation = [.init(step: 1, accuracy: Double(run.correct) / Double(run.of), loss: 1)]
    return record
  }

  @Test("Of models that are as good, the fastest; others by accuracy; those at chance are out")
  func order() throws {
    let advice = try advice([
      SyntheticRun(model: "transformer", steps: 5000, correct: 405, seconds: 600),
      SyntheticRun(model: "linformer", steps: 5000, correct: 400, seconds: 100),
      SyntheticRun(model: "local", steps: 5000, correct: 300, seconds: 10),
      SyntheticRun(model: "performer", steps: 5000, correct: 201, seconds: 1),
    ])
    #expect(advice.candidates.map(\.model) == ["linformer", "transformer", "local"])
    #expect(advice.candidates.map(\.isAsGoodAsTheBest) == [true, true, false])
    #expect(advice.excluded.map(\.objections) == [["no better than chance after 5,000 steps"]])
    #expect(
      advice.text.replacing("\n", with: " ").hasPrefix(
        "Take linformer: 40.0 % ± 1.5 % (n = 1) in 2 min and 100.0 MiB, with small, 5,000 steps; "))
    #expect(advice.text.contains("distinguishable on validation: transformer (10 min)."))
    #expect(!advice.text.contains("Schedules differ"))
  }

  @Test("A short schedule of one seed does not come before a whole one of several that is as good")
  func wholeFirst() throws {
    let advice = try advice(
      (0..<3).map {
        SyntheticRun(model: "s4d", seed: $0, steps: 5000, correct: 370 + 4 * $0, seconds: 540)
      } + [
        SyntheticRun(model: "longformer", correct: 360, seconds: 60, changed: "train.steps"),
        // The whole schedule counts for a model with both, though it takes longer.
        SyntheticRun(model: "fnet", correct: 372, seconds: 10, changed: "train.steps"),
        SyntheticRun(model: "fnet", steps: 5000, correct: 371, seconds: 800),
      ])
    #expect(advice.candidates.map(\.model) == ["s4d", "fnet", "longformer"])
    #expect(advice.candidates.map(\.isWhole) == [true, true, false])
    #expect(advice.candidates[1].steps == 5000)
    // 5,000 steps at two a second.
    #expect(advice.candidates[2].wholeSeconds == 2500)
    #expect(advice.text.hasPrefix("Take s4d: "))
    #expect(advice.text.contains("longformer (1 min, only 100 of 5,000 steps)"))
  }

  @Test("The choice goes by validation, not by the test")
  func validation() throws {
    var lucky = try SyntheticRun(model: "local", steps: 5000, correct: 900).record()
    lucky.validation = [.init(step: 1, accuracy: 0.3, loss: 1)]
    let question = Advice.Question(task: "listops", length: 2000)
    let sound = try record(SyntheticRun(model: "s4d", steps: 5000, correct: 500))
    let advice = try Advice(question, runs: [lucky, sound])
    #expect(advice.candidates.map(\.model) == ["s4d", "local"])
  }

  @Test("A single seed is given the spread of the models that have several")
  func singleSeed() throws {
    // Seeds of s4d differ by ±5 points, so that a single run 6 points below it may be as good.
    let seeds = [350, 400, 450].enumerated().map {
      SyntheticRun(model: "s4d", seed: $0, steps: 5000, correct: $1, of: 1000)
    }
    let single = SyntheticRun(model: "fnet", steps: 5000, correct: 340, seconds: 5)
    #expect(try advice(seeds + [single]).candidates.map(\.isAsGoodAsTheBest) == [true, true])
    let close = [400, 400, 400].enumerated().map {
      SyntheticRun(model: "s4d", seed: $0, steps: 5000, correct: $1, of: 1000)
    }
    #expect(try advice(close + [single]).candidates.map(\.isAsGoodAsTheBest) == [true, false])
  }

  @Test("Published runs stand in for models without own ones, and are said to be so")
  func published() throws {
    let question = Advice.Question(task: "listops", length: 2000)
    let own = try record(SyntheticRun(model: "fnet", steps: 5000, correct: 300))
    let others = try [
      SyntheticRun(model: "fnet", steps: 5000, correct: 900),
      SyntheticRun(model: "s4d", steps: 5000, correct: 500),
    ].map { try record($0) }
    let advice = try Advice(question, runs: [own], published: others)
    #expect(advice.candidates.map(\.model) == ["s4d", "fnet"])
    #expect(advice.candidates.map(\.isPublished) == [true, false])
    #expect(advice.candidates[1].accuracy == 0.3)
    #expect(advice.text.contains("Published runs stand in for models without own runs"))
    #expect(!(try Advice(question, runs: [own]).text.contains("Published runs")))
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
      advice.text.contains(/linear +1 s  100.0 MiB +~\S.*\n    40.0 % at 1,024; > 50.0 MiB/),
      "\(advice.text)")
    // Preset small takes its steps with its batch; the step was measured with 8.
    let preset = try #require(TaskCatalog.named("text").presets.first).values(for: "linear")
    let number = { (key: String) in
      Double(preset.first { $0.key == key }?.value.description ?? "") ?? 0
    }
    #expect(costs.rows[0].wholeSeconds == number("train.steps") * number("train.batch") / 8)

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
