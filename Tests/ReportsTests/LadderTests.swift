// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine
import Reports
import Runs
import Testing
import Training

@Suite("The statistics of a ladder")
struct SeedPairsTests {
  /// Answers to examples of class 0, right where a digit is 1.
  private func answers(_ digits: String) -> [Prediction] {
    digits.enumerated().map { id, digit in
      Prediction(id: id, label: 0, pred: digit == "1" ? 0 : 1, logits: [0, 0], data: nil)
    }
  }

  /// Examples of which the first has `lost` alone, the second `gained` alone, and both the rest.
  private func pairs(lost: Int, gained: Int, of count: Int) throws -> SeedPairs {
    let rest = String(repeating: "1", count: count - lost - gained)
    let (a, b) = (String(repeating: "1", count: lost), String(repeating: "0", count: lost))
    let (c, d) = (String(repeating: "0", count: gained), String(repeating: "1", count: gained))
    return try #require(SeedPairs([(answers(a + c + rest), answers(b + d + rest))]))
  }

  @Test("For one seed they are McNemar's test and its standard error")
  func oneSeed() throws {
    let pairs = try pairs(lost: 8, gained: 2, of: 14)
    #expect((pairs.onlyFirst, pairs.onlySecond, pairs.count) == (8, 2, 14))
    #expect(abs(pairs.loss - 6.0 / 14) < 1e-12)
    #expect(abs(pairs.error - (10 - 36.0 / 14).squareRoot() / 14) < 1e-12)
    #expect(abs(pairs.probability - 112.0 / 1024) < 1e-12)
    #expect(pairs.seedInterval == nil)
  }

  @Test(
    "With a tenth of unequal answers, what can be shown depends on the examples",
    arguments: [(2000, 1.16), (10_000, 0.52), (20_000, 0.37), (25_000, 0.33)])
  func provable(count: Int, points: Double) throws {
    let pairs = try pairs(lost: count / 20, gained: count / 20, of: count)
    #expect(abs(100 * pairs.provable - points) < 0.005)
    #expect(pairs.bound == pairs.provable)
    // A margin of one point is out of the reach of ListOps' 2,000.
    #expect((pairs.probability(ofLosing: 0.01) < 0.05) == (count > 2000))
    #expect((pairs.bound < 0.01) == (count > 2000))
  }

  @Test("Equal answers show no more than their number allows")
  func equal() throws {
    let pairs = try pairs(lost: 0, gained: 0, of: 100)
    #expect(abs(pairs.bound - 0.0295) < 0.0001)
    #expect(abs(pairs.probability(ofLosing: pairs.bound) - 0.05) < 1e-9)
    #expect(pairs.probability == 1)
    #expect(!pairs.loses(moreThan: 0))
  }

  @Test("Several seeds are not taken for as many examples, and have an interval of their own")
  func seeds() throws {
    let base = answers("1111100000")
    let same = try #require(SeedPairs(Array(repeating: (base, answers("1110000000")), count: 3)))
    let once = try #require(SeedPairs([(base, answers("1110000000"))]))
    #expect(same.error == once.error && same.loss == once.loss)
    #expect(same.probability == once.probability)
    let three = try #require(
      SeedPairs([
        (base, answers("1110000000")), (base, answers("1111000000")), (base, answers("1111100000")),
      ]))
    #expect(three.losses == [0.2, 0.1, 0])
    #expect(abs(three.loss - 0.1) < 1e-12)
    // t of two degrees of freedom times 0.1 / √3.
    let interval = try #require(three.seedInterval)
    #expect(abs(interval.upperBound - (0.1 + 4.303 * 0.1 / 3.0.squareRoot())) < 1e-9)
    #expect(SeedPairs([(base, base), (base, answers("1"))]) == nil)
    #expect(SeedPairs([]) == nil)
  }

  @Test("Holm's correction multiplies the least by the number of tests, and never falls")
  func holm() {
    #expect(holmCorrected([0.01, 0.04, 0.03, 0.005]) == [0.03, 0.06, 0.06, 0.02])
    #expect(holmCorrected([0.9, 0.5]) == [1, 1])
    #expect(holmCorrected([]) == [])
  }

  @Test("A verdict says better, not inferior, inferior, or that nothing was shown")
  func verdicts() throws {
    let verdict = { (lost: Int, gained: Int) in
      LadderRow.Comparison.corrected(
        [try pairs(lost: lost, gained: gained, of: 1000)], margin: 0.01
      )[0].verdict
    }
    #expect(try verdict(1, 2) == .notInferior)
    #expect(try verdict(0, 20) == .better)
    #expect(try verdict(60, 20) == .inferior)
    #expect(try verdict(60, 55) == .notShown)
  }
}

@Suite("The plan of a ladder")
struct LadderPlanTests {
  private func plan(_ model: String = "transformer", _ settings: [String] = []) throws -> LadderPlan
  {
    let cell = LeaderboardCell(
      task: "listops", model: model, preset: "small", length: nil, seed: 0,
      assignments: settings)
    return LadderPlan(
      cell, baseline: try cell.resolve(dataFolder: "data"), folder: "out", steps: 100)
  }

  private func methods(_ names: String...) throws -> [LadderMethod] {
    try names.map(LadderMethod.named)
  }

  @Test("A combination is trained, pruned, factorised and quantised in this order")
  func chain() throws {
    let chain = try plan().chain(methods("int8", "factorise", "bf16", "prune-hidden"), seed: 3)
    #expect(
      chain.map(\.name) == [
        "bf16-n100-s3", "bf16+prune-hidden-n100-t10-s3", "bf16+prune-hidden+factorise-n100-t10-s3",
        "bf16+prune-hidden+factorise+int8-n100-t10-s3",
      ])
    #expect(chain.map(\.source) == [nil] + chain.dropLast().map(\.name))
    #expect(chain.map(\.steps) == [100, 10, 10, 0])
    #expect(
      chain[0].arguments == [
        "train", "--task", "listops", "--model", "transformer", "--preset", "small", "--seed", "3",
        "--steps", "100", "--set", "train.precision=bf16",
      ])
    #expect(
      chain[1].arguments == [
        "compress", "out/bf16-n100-s3", "--prune-hidden", "50%", "--steps", "10",
      ])
    #expect(chain[3].arguments.suffix(2) == ["--quantise", "int8"])
  }

  @Test("A student has half the blocks and the baseline as teacher, also when it is compressed")
  func distill() throws {
    let chain = try plan().chain(methods("distill", "prune-hidden"), seed: 0)
    #expect(chain.map(\.name).first == "baseline-n100-s0")
    #expect(chain[1].source == "baseline-n100-s0")
    #expect(
      chain[1].arguments.suffix(6) == [
        "--set", "model.layers=1", "--set", "train.teacher=out/baseline-n100-s0", "--set",
        "train.initial=teacher",
      ])
    #expect(chain[2].arguments.suffix(2) == ["--set", "train.teacher=out/baseline-n100-s0"])
  }

  @Test("A training for bytes goes on with the run that is then quantised")
  func trainedForBytes() throws {
    let chain = try plan().chain(methods("prune-hidden", "int8-trained"), seed: 0)
    let name = "prune-hidden+int8-trained-n100-t10-s0"
    #expect(chain.map(\.name).suffix(2) == ["\(name)-before", name])
    #expect(chain[2].source == "prune-hidden-n100-t10-s0" && chain[3].source == "\(name)-before")
    #expect(
      chain[2].arguments.starts(with: [
        "train", "--config", "out/prune-hidden-n100-t10-s0/config.json", "--steps", "10", "--set",
        "train.initial=out/prune-hidden-n100-t10-s0", "--set", "train.warmup=2", "--set",
      ]), "\(chain[2].arguments)")
    #expect(chain[2].arguments.last == "train.quantise=int8")
    #expect(chain[3].arguments[1] == "out/\(name)-before" && chain[3].steps == 0)
  }

  @Test("Exits are trained before bytes, and how sure they must be is chosen last")
  func exits() throws {
    let plan = try plan("transformer", ["model.layers=4"])
    let chain = try plan.chain(methods("exits", "int8", "factorise"), seed: 0)
    let name = "factorise+int8+exits-n100-t10-s0"
    #expect(
      chain.map(\.name) == [
        "baseline-n100-s0", "factorise-n100-t10-s0", "\(name)-before", "\(name)-quantise", name,
      ])
    #expect(chain.map(\.source) == [nil] + chain.dropLast().map(\.name))
    #expect(chain.map(\.steps) == [100, 10, 10, 0, 0])
    #expect(chain[2].arguments.last == "train.exits=mixed")
    #expect(chain[4].arguments.suffix(2) == ["--exits", "loss=1%"])
    let error = #expect(throws: UserError.self) {
      try self.plan().check(methods("exits"), dataFolder: "data") { _, _ in }
    }
    #expect(error?.problem.contains("exits") == true)
    try plan.check(methods("exits", "int8-trained"), dataFolder: "data") { _, _ in }
  }

  @Test("A method that changes the model is a training of the other model")
  func lowrank() throws {
    let chain = try plan().chain(methods("lowrank"), seed: 0)
    #expect(chain.count == 1 && chain[0].arguments.contains("lowrank"))
    #expect(!chain[0].arguments.contains { $0.hasPrefix("model.name") })
  }

  @Test("What cannot be combined, or is not for the model, is refused with the reason")
  func refusals() throws {
    let refusal = { (plan: LadderPlan, methods: [LadderMethod]) -> String in
      do { try plan.check(methods, dataFolder: "data") { _, _ in } } catch { return error.problem }
      return ""
    }
    #expect(try refusal(plan(), methods("sparse", "factorise")).contains("sparse"))
    #expect(try refusal(plan(), methods("factorise", "lowrank")).contains("narrow"))
    #expect(try refusal(plan("linear"), methods("lowrank")).contains("for transformer"))
    #expect(
      try refusal(plan("linear", ["model.positions=fixed"]), methods("position-rank"))
        .contains("no effect"))
    #expect(
      try refusal(plan("linear", ["model.layers=1"]), methods("distill")).contains("one block"))
    #expect(try refusal(plan(), methods("bf16", "prune-heads", "factorise", "int8")).isEmpty)
    for method in LadderMethod.all {
      #expect(method.conflict(with: method) == nil && !method.goals.isEmpty, "\(method.name)")
    }
  }

  @Test("An unknown method is refused with the nearest names")
  func unknown() throws {
    let error = #expect(throws: UserError.self) { try LadderMethod.named("prune-hiden") }
    #expect(error?.remedy.contains("prune-hidden") == true)
  }

  @Test("A budget shortens the trainings, down to ten steps")
  func budget() throws {
    let cost = RunCost(
      stepSeconds: 1, validationSeconds: 5, testSeconds: 10, peakResidentBytes: 1, steps: 1000,
      evalEvery: 100, threads: 1)
    let budget = LadderBudget(
      baseline: cost, trainings: [], compressions: 2, seeds: 1, jobs: 1, steps: 1000, tuning: 100)
    // A training, two methods and what the search may add: 25 s each, 1.05 s a step of 1.3 · steps.
    #expect(abs(budget.seconds(steps: 1000) - (4 * 25 + 60 + 1.3 * 1050)) < 1e-6)
    #expect(try budget.steps(within: 3600) == nil)
    let steps = try #require(try budget.steps(within: 900))
    #expect(steps == Int((810 - 160) / 1.365))
    let error = #expect(throws: UserError.self) { try budget.steps(within: 60) }
    #expect(error?.problem.contains("too little") == true)
  }
}

@Suite("The search of a ladder")
struct LadderSearchTests {
  private typealias Outcome = LadderSearch.Outcome

  private func search(
    _ alone: [(String, Outcome)], refusal: ([LadderMethod]) -> String? = { _ in nil },
    attempt: ([String]) -> Outcome
  ) throws -> (search: LadderSearch, tried: [[String]]) {
    var tried: [[String]] = []
    let alone = try alone.map { (try LadderMethod.named($0), $1) }
    let search = LadderSearch(baseline: 100, alone: alone, refusal: refusal) { methods in
      tried.append(methods.map(\.name))
      return attempt(methods.map(\.name))
    }
    return (search, tried)
  }

  @Test("The best alone comes first, and what does not help or is inferior stays out")
  func greedy() throws {
    let (search, tried) = try search([
      ("prune-hidden", Outcome(score: 70, isNotInferior: true)),
      ("prune-heads", Outcome(score: 80, isNotInferior: false)),
      ("factorise", Outcome(score: 60, isNotInferior: true)),
      ("int8", Outcome(score: 40, isNotInferior: true)),
      ("bf16", Outcome(score: 99, isNotInferior: true)),
    ]) { methods in
      methods.contains("prune-hidden")
        ? Outcome(score: 25, isNotInferior: true)
        : Outcome(score: 30, isNotInferior: false)
    }
    #expect(tried == [["int8", "factorise"], ["int8", "prune-hidden"]])
    #expect(search.chosen.map(\.name) == ["int8", "prune-hidden"])
    #expect(
      search.decisions == [
        "int8: taken", "factorise + int8: not shown to be as accurate on validation examples",
        "prune-hidden + int8: taken",
        "prune-heads: not shown to be as accurate on validation examples",
        "bf16: no gain",
      ])
  }

  @Test("Conflicts are not tried, and nothing is chosen where nothing helps")
  func conflicts() throws {
    let good = Outcome(score: 50, isNotInferior: true)
    let (search, tried) = try search(
      [("sparse", good), ("factorise", good), ("int8", Outcome(score: nil, isNotInferior: false))],
      refusal: { $0.count > 1 ? "no" : nil }, attempt: { _ in good })
    #expect(tried.isEmpty && search.chosen.map(\.name) == ["sparse"])
    #expect(search.decisions.contains("sparse + factorise: not tried, no"))
    #expect(search.decisions.contains("int8: not measured"))
    let nothing = try self.search([("int8", Outcome(score: 99, isNotInferior: true))]) { _ in good }
    #expect(nothing.search.chosen.isEmpty)
  }
}

@Suite("The tables of a ladder")
struct LadderTablesTests {
  /// A ladder with one method.
  static func record() throws -> LadderRecord {
    var baseline = LadderRow([], role: .baseline)
    (baseline.models, baseline.accuracy, baseline.error) = (1, 0.4, 0.01)
    (baseline.weights, baseline.nonzero, baseline.bytes) = (1000, 1000, 4000)
    baseline.latency = LadderRow.Time(seconds: 0.01, gain: 1)
    var row = LadderRow([try LadderMethod.named("int8")], role: .alone)
    (row.models, row.accuracy, row.error, row.bytes) = (1, 0.39, 0.01, 1100)
    row.latency = LadderRow.Time(seconds: 0.005, gain: 2)
    row.trainingEnergy = EnergyEstimate(counted: 5000)
    return LadderRecord(
      baseline: LeaderboardCell(
        task: "listops", model: "transformer", preset: "small", length: nil, seed: 0,
        assignments: []),
      length: 2000, steps: 100, goal: .file, margin: 0.01, seeds: [0], processor: "P", threads: 1,
      jobs: 1, rows: [baseline, row], chosen: [try LadderMethod.named("int8")], searchSeconds: 60,
      notes: ["int8: taken"])
  }

  @Test("A record is read back as it was written, and a damaged line is named")
  func roundTrip() throws {
    let record = try Self.record()
    try withScratchFolder { folder in
      let line = String(decoding: try SnakeCaseJSON.encoded(record, oneLine: true), as: UTF8.self)
      let broken = line.replacing("\"gain\":2", with: "\"gain\":0")
      try "\(line)\n\(line)\n\(broken)\n".write(
        toFile: "\(folder)/ladder.jsonl", atomically: false, encoding: .utf8)
      let (ladders, problems) = LadderTables.records([folder])
      #expect(ladders == [record])
      #expect(problems.count == 1 && problems[0].contains("latency.gain is 0"))
      let report = try ReportData(folders: [folder])
      #expect(report.tables.map(\.title).contains { $0.contains("Ladder, listops") })
      let files = try Report(report).files(date: Date(timeIntervalSince1970: 0))
      let page = String(decoding: files[0].content, as: UTF8.self)
      #expect(page.contains("Methods on a ladder"))
    }
  }

  @Test("The tables have the rows, the search, and what was chosen")
  func tables() throws {
    let text = LadderTables(try Self.record()).text
    for part in [
      "baseline", "int8", "search", "1 min", "Chosen for file, by validation examples: int8.",
      "2.00", "5.0", "Source of energy: rapl", "3.9 KiB",
    ] { #expect(text.contains(part), "\(part)\n\(text)") }
  }
}
