// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Reports
import Testing

@Suite("Tables of accuracy")
struct AccuracyTablesTests {
  private func cell(_ table: ReportTable, _ row: Int, _ column: String) throws -> String {
    let place = try #require(table.columns.firstIndex { $0.title == column }, "\(column)")
    return table.rows[row][place].text
  }

  @Test("Seeds are one row: mean, spread with n − 1, the error of the test, published figures")
  func seeds() throws {
    let runs = try [(0, 350), (1, 370), (2, 390)].map { seed, correct in
      try SyntheticRun(seed: seed, correct: correct).record()
    }
    let table = try accuracy(runs)
    #expect(table.rows.count == 1)
    #expect(try cell(table, 0, "n") == "3")
    #expect(try cell(table, 0, "test accuracy, %") == "37.0")
    #expect(try cell(table, 0, "± seeds") == "2.0")
    // √(0.37 · 0.63 / 1000) = 1.53 %
    #expect(try cell(table, 0, "± test") == "1.5")
    #expect(try cell(table, 0, "Tay et al. 2020") == "35.70")
    #expect(try cell(table, 0, "difference to Tay et al. 2020") == "+1.3")
  }

  /// The only table of a protocol's accuracies.
  private func accuracy(_ runs: [RunRecord]) throws -> ReportTable {
    try #require(ReportTables.all(runs, speed: []).first { $0.id.hasPrefix("accuracy-") })
  }

  @Test("Rows are in the order of validation, whatever the test says, and show both")
  func validation() throws {
    let runs = try [("s4d", 300, 0.5), ("fnet", 400, 0.4), ("local", 350, 0.45)].map {
      model, correct, validation in
      var run = try SyntheticRun(model: model, correct: correct).record()
      run.validation = [.init(step: 50, accuracy: validation, loss: 1)]
      return run
    }
    let table = try accuracy(runs)
    #expect(table.rows.map { $0[0].text } == ["s4d", "local", "fnet"])
    #expect(try cell(table, 1, "val accuracy, %") == "45.0")
    #expect(try cell(table, 1, "test accuracy, %") == "35.0")
    let list = try #require(
      Report(ReportData(runs: runs)).files(date: Date()).first {
        $0.name == "runs.csv"
      })
    #expect(
      String(decoding: list.content, as: UTF8.self).contains("listops,s4d,small,0,100,50,30,"))
  }

  @Test("Steps are those taken, and of how many where a run ended early")
  func steps() throws {
    var run = try SyntheticRun().record()
    run.result?.steps = 42
    #expect(try cell(accuracy([run]), 0, "steps") == "42 of 100")
  }

  @Test("A difference to published figures stands only where they may be compared")
  func differences() throws {
    let runs = try [
      SyntheticRun(preset: "quick"), SyntheticRun(changed: "train.steps"),
      SyntheticRun(changed: "model.layers", extra: ["model.layers": 3]),
    ].map { try accuracy([$0.record()]) }
    for table in runs {
      #expect(try cell(table, 0, "Tay et al. 2020") == "35.70")
      #expect(try cell(table, 0, "difference to Tay et al. 2020") == "", "\(table.caption)")
    }
  }

  @Test("A model that only some seeds brought above chance is not called chance")
  func partlyChance() throws {
    let table = { (second: Int) in
      let runs = try [(0, 201), (1, second)].map {
        try SyntheticRun(seed: $0, correct: $1).record()
      }
      return try #require(ReportTables.all(runs, speed: []).first { $0.id.hasPrefix("overview-") })
    }
    #expect(try table(400).rows[1][1].text.hasSuffix(", n = 2 (1 of 2 left chance)"))
    #expect(try table(199).rows[1][1].text.hasSuffix(", n = 2 (chance)"))
    #expect(try table(400).rows[0].prefix(2).map(\.text) == ["chance", "20.0"])
    #expect(try table(400).rows[1][2].text == "35.70")
  }

  @Test("Headings of CSV are unique and its numbers plain")
  func csv() throws {
    var table = ReportTable(
      id: "t", title: "t", caption: "", columns: [.text("a"), .number("a"), .number("b")])
    table.add([.init("x"), .init("0", value: 0), .init(0.354 * 100, decimals: 1)])
    #expect(table.csv == "a,a (2),b\r\nx,0,35.4\r\n")
  }

  @Test("A row at chance and one that its better neighbour does not differ from say so")
  func remarks() throws {
    let runs = try [
      SyntheticRun(model: "s4d", correct: 500), SyntheticRun(model: "linformer", correct: 400),
      SyntheticRun(model: "linear", correct: 399), SyntheticRun(model: "fnet", correct: 201),
    ].map { run in
      var record = try run.record()
      record.validation = [.init(step: 1, accuracy: Double(run.correct) / 1000, loss: 1)]
      return record
    }
    let table = try accuracy(runs)
    #expect(table.rows.map { $0[0].text } == ["s4d", "linformer", "linear", "fnet"])
    #expect(try cell(table, 1, "remark") == "")
    #expect(try cell(table, 2, "remark") == "≈ linformer")
    #expect(try cell(table, 3, "remark") == "chance")
  }

  @Test("Other lengths, schedules and data are other tables; other rates are told in the row")
  func protocols() throws {
    let runs = try [
      SyntheticRun(), SyntheticRun(model: "s4d", changed: "task.length", length: 512),
      SyntheticRun(model: "performer", changed: "train.steps train.warmup"),
      SyntheticRun(
        model: "linear", changed: "train.learning-rate", extra: ["train.learning-rate": 0.5]),
    ].map { try $0.record() }
    let tables = ReportTables.all(runs, speed: []).filter { $0.id.hasPrefix("accuracy-") }
    #expect(tables.map(\.rows.count).sorted() == [1, 1, 2])
    let shared = try #require(tables.first { $0.rows.count == 2 })
    #expect(
      try (0..<2).map { try cell(shared, $0, "remark") }.contains {
        $0.hasSuffix("train.learning-rate=0.5")
      })
    let other = try #require(
      tables.first { $0.title.hasSuffix("2,000 tokens, small, 100 steps, n = 1") })
    #expect(other.caption.hasPrefix("preset small with another number of steps; "))
    #expect(other.notes.contains { $0.hasSuffix("a difference: another number of steps") })
  }

  @Test("What learned of inputs alone first is a protocol of its own, and says so")
  func selfPretrained() throws {
    var run = try SyntheticRun(changed: "train.initial").record()
    let plain = try SyntheticRun().record()
    #expect(run.result?.pretraining == nil)
    run.result?.pretraining = "masked"
    let conditions = try #require(RunConditions(run))
    let other = try #require(RunConditions(plain))
    #expect(conditions != other && conditions.id("t") != other.id("t"))
    #expect(conditions.summary.contains("preset small, self-pretrained"))
    #expect(conditions.incomparable?.contains("self-pretrained") == true)
    let tables = SeedGroup.all([run, plain]).map(\.conditions)
    #expect(Set(tables).count == 2)
    #expect(RunComparison([plain, run]).warnings.joined().contains("self-pretraining"))
  }

  @Test("Averages over five tasks stand only where all five were run")
  func averages() throws {
    let tasks = ["listops", "text", "retrieval", "image", "pathfinder"]
    var runs = try tasks.map { try SyntheticRun(task: $0, correct: 500).record() }
    runs.append(try SyntheticRun(task: "text", model: "s4d").record())
    let table = try #require(ReportTables.all(runs, speed: []).first)
    #expect(table.title == "Accuracy by model and task, small")
    #expect(try cell(table, 1, "average of five") == "50.0")
    #expect(try cell(table, 2, "average of five") == "")
    #expect(try cell(table, 1, "average of six") == "")
  }

  @Test("Several lengths of one task are set side by side")
  func lengths() throws {
    let runs = try [512, 1024, 2000].map {
      try SyntheticRun(changed: $0 == 2000 ? "" : "task.length", length: $0).record()
    }
    let table = try #require(ReportTables.all(runs, speed: []).first { $0.id.hasPrefix("length-") })
    #expect(table.rows.count == 1)
    #expect(try cell(table, 0, "accuracy, 1,024") == "40.0 ± 1.5")
    #expect(try cell(table, 0, "ms, 512") == "500")
  }

  @Test("Only runs that differ in their length alone share a row and a line against the length")
  func lengthAlone() throws {
    var runs = try [512, 1024].map {
      try SyntheticRun(changed: "task.length train.steps", length: $0).record()
    }
    // Another number of steps, and other layers, at a third length.
    runs.append(
      try SyntheticRun(steps: 4000, changed: "task.length train.steps", length: 1500).record())
    runs.append(
      try SyntheticRun(
        changed: "task.length train.steps model.layers", length: 1600, extra: ["model.layers": 4]
      ).record())
    let table = try #require(ReportTables.all(runs, speed: []).first { $0.id.hasPrefix("length-") })
    #expect(table.rows.count == 1)
    #expect(!table.columns.contains { $0.title.contains("1,500") || $0.title.contains("1,600") })
    #expect(try cell(table, 0, "accuracy, 1,024") == "40.0 ± 1.5")
    let files = try Report(ReportData(runs: runs)).files(date: Date())
    let numbers = try #require(files.first { $0.name == "lengths-listops-small-true-numbers.csv" })
    #expect(String(decoding: numbers.content, as: UTF8.self).split(separator: "\r\n").count == 3)
  }
}

@Suite("Tables of speed")
struct SpeedTablesTests {
  @Test("Ratios are to the transformer at the same length, the exponent is that of the time")
  func ratios() throws {
    let speed = syntheticSpeed("transformer", 1, 2) + syntheticSpeed("linear", 0.5, 1)
    let tables = ReportTables.all([], speed: speed)
    let table = try #require(tables.first { $0.id.hasPrefix("training-speed") })
    #expect(
      table.rows[0].map(\.text).prefix(5) == [
        "transformer", "1.00 (1.00)", "0.25 (1.00)", "0.06 (1.00)", "2.00",
      ])
    #expect(
      table.rows[1].map(\.text).prefix(5) == [
        "linear", "2.00 (2.00)", "1.00 (4.00)", "0.50 (8.00)", "1.00",
      ])
    // LRA's linear at 4,096 tokens: 7.8 / 1.4.
    #expect(table.rows[1].last?.text == "5.57")
  }

  @Test("Without a transformer there are no ratios, and none of the LRA's")
  func absolute() throws {
    let tables = ReportTables.all([], speed: syntheticSpeed("linear", 0.5, 1))
    let table = try #require(tables.first { $0.id.hasPrefix("training-speed") })
    #expect(table.title == "Training steps/s")
    #expect(!table.columns.contains { $0.title.hasPrefix("LRA") })
  }

  @Test("The crossing is where the times are equal, and said to be absent where there is none")
  func crossings() throws {
    // 1.5 · x = x² at x = 1.5, which is 1,536 tokens.
    let speed =
      syntheticSpeed("transformer", 1, 2) + syntheticSpeed("linformer", 1.5, 1)
      + syntheticSpeed("lowrank", 2, 2)
    let table = try #require(
      ReportTables.all([], speed: speed).first { $0.id.hasPrefix("crossover") })
    let answers = Dictionary(uniqueKeysWithValues: table.rows.map { ($0[0].text, $0[1].text) })
    #expect(answers["linformer before transformer"] == "from about 1,536")
    #expect(answers["lowrank before transformer"] == "not up to 4,096")
    #expect(answers["linformer before lowrank"] == "from 1,024 or less")
  }

  @Test("Processors, sizes, heads and pairs are told apart, in tables and in their names")
  func series() throws {
    var other = syntheticSpeed("linear", 1, 1)
    for place in other.indices { other[place].heads = 4 }
    var pairs = syntheticSpeed("linear", 1, 1)
    for place in pairs.indices { pairs[place].towers = 2 }
    var elsewhere = syntheticSpeed("linear", 1, 1)
    for place in elsewhere.indices { elsewhere[place].processor = "Fast CPU: 3 GHz" }
    let tables = ReportTables.all(
      [], speed: syntheticSpeed("linear", 1, 1) + other + pairs + elsewhere)
    let training = tables.filter { $0.id.hasPrefix("training-speed") }
    #expect(training.count == 4)
    #expect(training[3].caption == "Fast CPU: 3 GHz; " + training[0].caption)
    #expect(Set(tables.map(\.id)).count == tables.count)
  }

  @Test("Of a cell that was measured twice on a processor the latest counts; a bad line is named")
  func log() throws {
    try withScratchFolder { folder in
      let encoder = JSONEncoder()
      encoder.keyEncodingStrategy = .convertToSnakeCase
      var elsewhere = syntheticSpeed("s4d", 3, 1, lengths: [1024])
      elsewhere[0].processor = "Fast CPU: 3 GHz"
      let all = syntheticSpeed("s4d", 1, 1) + elsewhere + syntheticSpeed("s4d", 2, 1)
      let lines = try all.map {
        String(decoding: try encoder.encode($0), as: UTF8.self)
      }
      let path = "\(folder)/speed.jsonl"
      try (lines + ["{\"model\":\"s4d\"", ""]).joined(separator: "\n").write(
        toFile: path, atomically: false, encoding: .utf8)
      let log = SpeedLog(path)
      #expect(log.results.map(\.stepS) == [3, 2, 4, 8])
      #expect(
        log.problems == [
          "\(path): line 8 is no measurement of lra bench --json: is not valid JSON"
        ])
    }
  }
}

@Suite("Records of runs")
struct RunRecordTests {
  @Test("A run too old to note its changes is compared with the preset of today")
  func changes() throws {
    var run = SyntheticRun(
      steps: 5000, extra: ["train.clip": 0, "train.learning-rate": 0.5, "run.preset": "small"])
    run.notesChanges = false
    let record = try run.record()
    // The file has the number 0.0 of the preset's clip as 0.
    #expect(record.changedKeys == ["train.learning-rate"])
    #expect(record.deviations == ["train.learning-rate=0.5"])
  }
}
