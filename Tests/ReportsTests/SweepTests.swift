// SPDX-License-Identifier: Apache-2.0

import Base
import Reports
import Testing

@Suite("Sweeps")
struct SweepTests {
  /// A run with a rate, whose validation accuracy is that of the log: 0.75 at the end.
  private func run(
    rate: Double, correct: Int, seed: Int = 0, model: String = "linear", clip: Double? = nil
  ) throws -> RunRecord {
    var run = SyntheticRun(model: model, seed: seed, correct: correct)
    run.changed = "train.learning-rate" + (clip == nil ? "" : " train.clip")
    run.extra = ["train.learning-rate": .number(rate)]
    if let clip { run.extra["train.clip"] = .number(clip) }
    return try run.record()
  }

  private func sweeps(_ runs: [RunRecord]) -> [Sweep] { Sweep.all(SeedGroup.all(runs)) }

  @Test("Runs of a model that differ in a setting are a sweep; seeds and other models are none")
  func found() throws {
    let runs = try [
      run(rate: 1e-3, correct: 300), run(rate: 1e-3, correct: 300, seed: 1),
      run(rate: 1e-4, correct: 400), run(rate: 1e-3, correct: 300, model: "fnet"),
    ]
    let found = sweeps(runs)
    #expect(found.map(\.model) == ["linear"] && found.first?.keys == ["train.learning-rate"])
    #expect(found.first?.groups.map(\.count).sorted() == [1, 2])
    #expect(sweeps(Array(runs.prefix(2))).isEmpty)
  }

  @Test("Two settings make pairs, and the best at the end of what was tried is told")
  func pairs() throws {
    let runs = try [(1e-4, 0.0), (1e-4, 1), (1e-3, 0), (1e-3, 1)].map {
      try run(rate: $0.0, correct: 300, clip: $0.1)
    }
    let sweep = try #require(sweeps(runs).first)
    #expect(sweep.keys == ["train.clip", "train.learning-rate"] && sweep.groups.count == 4)
    #expect(sweep.open == sweep.keys)
    #expect(sweep.choice.contains("has the best val accuracy"))
    let tables = ReportTables.all(runs, speed: [])
    let table = try #require(tables.first { $0.id.hasPrefix("sweep-listops-small-2000") })
    #expect(table.rows.count == 4 && table.rows[0].last?.text == "chosen")
    #expect(table.rows.dropFirst().allSatisfy { $0.last?.text.isEmpty == true })
  }

  @Test("Each row of the accuracies says its values beside the model, the preset's own ones too")
  func values() throws {
    var preset = SyntheticRun(model: "linear", correct: 500)
    preset.extra = ["train.learning-rate": .number(1e-4)]
    let runs = try [preset.record(), run(rate: 1e-3, correct: 500)]
    let tables = ReportTables.all(runs, speed: [])
    let table = try #require(tables.first { $0.id.hasPrefix("accuracy-listops-small-2000") })
    #expect(table.columns.prefix(2).map(\.title) == ["model", "train.learning-rate"])
    #expect(Set(table.rows.map { $0[1].text }) == ["0.0001", "0.001"])
    let remarks = table.rows.compactMap { $0.last?.text }
    #expect(remarks.contains { $0.hasPrefix("≈ linear, train.learning-rate=0.00") }, "\(remarks)")
    #expect(!remarks.contains { $0.contains("; train.learning-rate") })
  }

  @Test("A sign is explained only where it stands")
  func signs() throws {
    let alone = try [SyntheticRun(model: "linear", correct: 900).record()]
    let notes = ReportTables.all(alone, speed: []).filter { $0.id.hasPrefix("overview") }
      .flatMap(\.notes)
    #expect(!notes.isEmpty && !notes.contains { $0.hasPrefix("*:") || $0.hasPrefix("(chance)") })
    #expect(!notes.contains { $0.hasPrefix("average") })
    let swept = try [run(rate: 1e-3, correct: 900)]
    let marked = ReportTables.all(swept, speed: []).filter { $0.id.hasPrefix("overview") }
    #expect(marked.flatMap(\.notes).contains { $0.hasPrefix("*:") })
  }

  @Test("A warm-up is a deviation unless the number of steps was changed, which scales it")
  func warmup() throws {
    let run = { (changed: String) in
      var run = SyntheticRun(model: "linear")
      run.changed = changed
      run.extra = ["train.warmup": .integer(50)]
      return try run.record()
    }
    #expect(try run("train.steps train.warmup").deviations.isEmpty)
    #expect(try run("train.warmup").deviations == ["train.warmup=50"])
  }
}
