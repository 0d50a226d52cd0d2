// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine
import Models
import Reports
import Runs
import Tasks
import Training

extension Reader {
  /// Every reader of the program.
  static let all = single + reportFiles.flatMap { [records($0), report($0)] }

  /// Those of one kind of file, a line each.
  private static let single: [Reader] = [
    // Formats.
    .bytes("safetensors", { [try $0.bytes("runs/a/model.safetensors")] }, readArrays),
    .bytes("gzip", { _ in [Gzip.compress(Array("some text, some text".utf8))] }) {
      _ = try Gzip.decompress($0, name: "f")
    },
    .bytes("png", { try pictures($0) }, readPicture),
    .bytes("png-whole-checksums", { try pictures($0) }) { try readPicture(PNGChunks.mended($0)) },
    .bytes("pathfinder-metadata", cost: 2, { try metadata($0) }) {
      _ = try PathfinderMetadata.rows($0, "f")
    },

    // Settings.
    .text("assignment", cost: 4, assignments, assign),
    .file("config", "runs/a/config.json", cost: 4) {
      _ = try RunConfiguration(
        RunFolder.open("\($0.runs)/a").settings(), dataFolder: $0.data)
    },
    .text("duration", ["1h30m", "45s", "2d", "20"]) { _ = try parseDuration($0) },
    .text("size", ["4GiB", "512MiB", "4G", "100"]) { _ = try parseBytes($0) },

    // A run's folder.
    .file("status", "runs/a/STATUS", cost: 4) { _ = try RunFolder.open("\($0.runs)/a").status },
    .file("metrics", "runs/a/metrics.jsonl", cost: 4) {
      let path = "\($0.runs)/a/metrics.jsonl"
      _ = try MetricsLog.content(at: path)
      _ = MetricsLog.lastRecords(at: path, bytes: 1000)
      _ = try MetricsLog(path: path, resumingAt: 2)
    },
    .file("predictions", answers("a"), cost: 4) {
      _ = try PredictionFile.read("\($0.path)/\(answers("a"))")
    },
    Reader(
      name: "predictions-part", cost: 4, seeds: { try [partialAnswers($0)] },
      read: { room, bytes in
        _ = try room.write(bytes, "answers.jsonl.part")
        _ = try PredictionLog(path: "\(room.path)/answers.jsonl", header(room))
      }),
    .checkpoint("model.safetensors"), .checkpoint("optimizer.safetensors"),
    .checkpoint("trainer_state.json"),
    .file("checkpoint-list", "runs/a/checkpoints/last/COMPLETE", cost: 4) {
      _ = try RunFolder.open("\($0.runs)/a").loadCheckpoint(.last)
    },
    Reader(
      name: "tokens", cost: 4, seeds: { _ in [tokens()] },
      read: { room, bytes in
        _ = try TokenFile(room.write(bytes, "tokens"), for: SeedFiles.configuration(data: "").model)
      }),

    // Measurements.
    .file("journal", "journal.jsonl", cost: 4, readJournal),
    .file("greenformers", "measured/greenformers.jsonl", cost: 4) {
      let folder = "\($0.path)/measured"
      _ = GreenformersReport(GreenformersLog(folder: folder), EnergyTerms(), folder: folder).text
    },
    .file("ladder", "measured/ladder.jsonl", cost: 4) {
      let ladders = LadderTables.records(["\($0.path)/measured"]).ladders
      for ladder in ladders { _ = try (LadderTables(ladder).text, SnakeCaseJSON.encoded(ladder)) }
      let advice = try Advice(
        Advice.Question(task: "listops", length: 40), runs: [], ladders: (ladders, ladders))
      _ = try (advice.text, SnakeCaseJSON.encoded(advice))
    },
    .file("ladder-turns", "measured/turns.jsonl", cost: 4) {
      let lines = JSONLines<LadderMeasurement>("\($0.path)/measured/turns.jsonl", of: "turns")
      for measurement in lines.values {
        var row = LadderRow([], role: .baseline)
        row.take(answers: measurement, beside: measurement, power: nil)
        _ = try SnakeCaseJSON.encoded(row)
      }
    },
    .text("readme", cost: 10, ["| linear | 3.00x, 50 % | 100 / 812 |\n35.9 ± 1.1 %"]) {
      _ = PeerTables([]).unexplained(in: $0)
    },

    // Data of the tasks.
    Reader(
      name: "listops-tsv", cost: 1, seeds: { _ in [listOpsTable()] },
      read: { _ = try ListOpsTSV.read($0.write($1, "t.tsv"), length: 20, count: nil) }),
    .file("cifar-binary", "data/image/cifar-10-batches-bin/test_batch.bin", cost: 2) {
      var examples = PackedExamples(classes: 10, shift: 1)
      try CIFARBatch.read(
        "\($0.data)/image/cifar-10-batches-bin/test_batch.bin", shrink: 4, into: &examples)
    },
    Reader(
      name: "cifar-python", cost: 2, seeds: { _ in [picturePickle()] },
      read: {
        var examples = PackedExamples(classes: 10, shift: 1)
        try CIFARPickle.read($0.write($1, "data_batch_1"), shrink: 4, into: &examples)
      }),
    .file("sequences-tokens", "sequences/train.tsv", cost: 10, readSequences),
    .file("sequences-text", "sequences/text/train.tsv", cost: 10) {
      try readSequences("\($0.path)/sequences/text")
    },
    .file("sequences-arrays", "sequences/arrays/train.safetensors", cost: 10) {
      try readSequences("\($0.path)/sequences/arrays")
    },
    .task("text", "data/text/aclImdb/train/pos/3_9.txt", Text.self),
    .task("retrieval", "data/retrieval/new_aan_pairs.test.tsv", Retrieval.self),
    .task("retrieval-names", "papers/retrieval/id_pairs.test.tsv", Retrieval.self),
    .bytes("literal", { _ in [Array("b'a \\xc3\\xa9\\n text'".utf8)] }) { _ = bytesOfLiteral($0) },
    .prepared("listops", "test-") { try SeedFiles.configuration(data: $0.data).task },
    .prepared("retrieval", "index-test") { try Retrieval(TaskOptions(dataFolder: $0.data)) },
    .prepared("pathfinder", "test-") { try SeedFiles.pathfinder($0.data) },
  ]

  /// What a report reads of a folder of runs.
  private static let reportFiles = [
    "a/result.json", "a/env.json", "a/config.json", "a/metrics.jsonl",
    "a/\(answers("a").split(separator: "/").last ?? "")", "runs.jsonl", "speed.jsonl",
    "peers.jsonl",
  ]

  // MARK: Kinds

  /// The records behind a report where one file is broken: of a run, or a file of many alone.
  private static func records(_ name: String) -> Reader {
    let file = name.contains("/") ? "runs/\(name)" : "alone/\(name)/\(name)"
    let folder = file[..<(file.lastIndex(of: "/") ?? file.endIndex)]
    return .file("records-\(flat(name))", file, cost: 4) {
      _ = try ReportData(folders: ["\($0.path)/\(folder)"])
    }
  }

  /// All that is made of those records, ten times as dear.
  private static func report(_ name: String) -> Reader {
    .file("report-\(flat(name))", "runs/\(name)", cost: 100, readReport)
  }

  private static func flat(_ name: String) -> String {
    name.replacingOccurrences(of: "/", with: "-")
  }

  /// A run that goes on from a checkpoint with one file broken and the list of files in order.
  private static func checkpoint(_ name: String) -> Reader {
    let place = "runs/a/checkpoints/last"
    return .file("checkpoint-\(name.split(separator: ".")[0])", "\(place)/\(name)", cost: 20) {
      let path = "\($0.path)/\(place)"
      let names = try FileManager.default.contentsOfDirectory(atPath: path)
      let files = try names.filter { $0 != "COMPLETE" }.sorted().map { name in
        let bytes = try readFile("\(path)/\(name)")
        return "\"\(name)\":{\"bytes\":\(bytes.count),\"crc32c\":\(CRC32C.checksum(bytes))}"
      }
      _ = try $0.write(Array("{\(files.joined(separator: ","))}".utf8), "\(place)/COMPLETE")
      try goOn($0)
    }
  }

  /// A task's data where one file is broken.
  private static func task<T: ArenaTask>(_ name: String, _ file: String, _: T.Type) -> Reader {
    let folder = String(file.prefix { $0 != "/" })
    return .file(name, file, cost: 8) {
      try Room.readAll(T(TaskOptions(length: 30, dataFolder: "\($0.path)/\(folder)")))
    }
  }

  /// A task's data where what an earlier run has kept is broken before it was compressed.
  private static func prepared(
    _ task: String, _ prefix: String, _ make: @escaping @Sendable (Room) throws -> any ArenaTask
  ) -> Reader {
    let file = { @Sendable (room: Room) throws -> String in
      let names = try FileManager.default.contentsOfDirectory(atPath: "\(room.whole)/data/\(task)")
      guard let name = names.sorted().first(where: { $0.hasPrefix(prefix) }) else {
        throw UserError(.failed, "\(task) keeps no file \(prefix)…", remedy: "")
      }
      return "data/\(task)/\(name)"
    }
    return Reader(
      name: "prepared-\(task)", cost: 40,
      seeds: { [try Gzip.decompress($0.bytes(file($0)), name: task)] },
      read: { room, bytes in
        _ = try room.write(Gzip.compress(bytes), file(room))
        try Room.readAll(make(room))
      })
  }
}

// MARK: Reading

private func readArrays(_ bytes: [UInt8]) throws {
  let file = try SafeTensors(bytes, name: "f")
  for entry in file.entries {
    if entry.kind == .f32 { _ = try file.floats(entry.name) }
    if entry.kind == .i64 { _ = try file.integers(entry.name) }
  }
}

private func readPicture(_ bytes: [UInt8]) throws {
  let pixel = PNG.pixel(bytes) ?? .grey
  do throws(PNG.Fault) { _ = try PNG.decode(bytes, width: 32, height: 32, pixel: pixel) } catch {
    throw UserError(.badData, error.text, remedy: "")
  }
}

private func readSequences(_ room: Room) throws { try readSequences("\(room.path)/sequences") }

/// A user's own sequences, as a run reads them: first what they say of themselves, then all of them.
private func readSequences(_ folder: String) throws {
  let entry = try TaskCatalog.named("sequences")
  let values = try entry.derived(folder).map { (String($0.key.dropFirst(5)), $0.value) }
  try Room.readAll(
    entry.make(
      TaskOptions(
        length: 30, dataFolder: folder,
        settings: Dictionary(uniqueKeysWithValues: values.filter { $0.0 != "length" }))))
}

/// All that is made of a folder of runs; NaN and infinities would end in an error of the encoder.
private func readReport(_ room: Room) throws {
  let report = Report(try ReportData(folders: [room.runs]))
  for file in try report.files(date: Date(timeIntervalSince1970: 0)) {
    precondition(!file.content.isEmpty, "\(file.name) is empty")
  }
  let records = try ["a", "b"].map { try RunRecord("\(room.runs)/\($0)") }
  _ = try SnakeCaseJSON.encoded(RunStanding("\(room.runs)/a"))
  let comparison = RunComparison(records)
  for table in [comparison.differences, comparison.results] {
    _ = try SnakeCaseJSON.encoded(table)
  }
  _ = try (
    SnakeCaseJSON.encoded(comparison.curves), SnakeCaseJSON.encoded(comparison.pairs),
    comparison.plot(width: 60), comparison.warnings
  )
  let question = Advice.Question(task: "listops", length: 40, memory: 1 << 30, time: 60)
  let advice = try Advice(question, runs: records, speed: SpeedLog([room.runs]).results)
  _ = try (advice.text, SnakeCaseJSON.encoded(advice))
}

private func readJournal(_ room: Room) throws {
  let journal = try LeaderboardJournal(folder: room.path)
  let cell = LeaderboardCell(
    task: "listops", model: "linear", preset: "small", length: nil, seed: 0, assignments: [])
  let taken = journal.plannedSteps(budget: 3600)["cell"]
  let items = journal.costs(threads: 1).values.flatMap { cost in
    [.open, .fixed(steps: taken, taken: 7), .done].map {
      LeaderboardPlan.Item(cell: cell, cost: cost, state: $0)
    }
  }
  for budget in [nil, 0, 100, 1e9] as [Double?] {
    guard let plan = try? LeaderboardPlan(items, budget: budget, jobs: 2) else { continue }
    _ = (formatDuration(seconds: plan.seconds(jobs: 2)), formatBytes(plan.peakBytes(jobs: 2)))
  }
}

private func assign(_ text: String) throws {
  var lines = text.split(separator: "\n").map(String.init)
  let model = lines.isEmpty ? "" : lines.removeFirst()
  for task in ["listops", "retrieval", "pathfinder"] {
    var request = RunConfiguration.Request(
      task: task, model: model, dataFolder: "/nonexistent")
    request.assignments = lines.map { ($0, "--set") }
    _ = try RunConfiguration(request).settings.explained()
  }
}

private func goOn(_ room: Room) throws {
  let run = try TrainingRun(
    SeedFiles.configuration(data: room.data), folder: RunFolder.resume("\(room.runs)/a"),
    resuming: true, timeLimit: nil, console: SilentConsole())
  withExtendedLifetime(run) {}
}

// MARK: Seeds

/// The answers that a run of the room keeps.
private func answers(_ run: String) -> String { "runs/\(run)/predictions-test-best.jsonl" }

private func header(_ room: Room) throws -> PredictionLog.Header {
  try PredictionLog.Header(
    weightsFile: "\(room.runs)/b/model.safetensors", data: "0123456789abcdef", count: 8)
}

private func partialAnswers(_ room: Room) throws -> [UInt8] {
  let path = "\(room.path)/answers.jsonl"
  try? FileManager.default.removeItem(atPath: "\(path).part")
  let log = try PredictionLog(path: path, header(room))
  for prediction in try PredictionFile.read("\(room.whole)/\(answers("a"))").prefix(3) {
    try log.append(prediction)
  }
  return try readFile("\(path).part")
}

private func pictures(_ room: Room) throws -> [[UInt8]] {
  let folder = "exported/pathfinder32/curv_contour_length_14/imgs/0"
  return try (0..<2).map { try room.bytes("\(folder)/sample_\($0).png") }
}

/// As text, and as the array of strings that the generator saves.
private func metadata(_ room: Room) throws -> [[UInt8]] {
  let text = try room.bytes("exported/pathfinder32/curv_contour_length_14/metadata/0.npy")
  let header = "{'descr': '<U12', 'fortran_order': False, 'shape': (2, 11), }            \n"
  let words = ["imgs/0", "sample_1.png", "1", "1"] + Array(repeating: "1.0", count: 7)
  let cells = (words + words).flatMap { word in
    word.utf8.flatMap { [$0, 0, 0, 0] } + [UInt8](repeating: 0, count: 4 * (12 - word.utf8.count))
  }
  let array =
    [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8) + cells
  return [text, array]
}

private func tokens() -> [UInt8] {
  var file = SafeTensors()
  file.add("tokens", shape: [2, 5], [3, 4, 5, 0, 0, 6, 7, 8, 9, 10] as [Int32])
  return file.serialized()
}

/// One black picture of class 3 in the version of CIFAR-10 for Python, protocol 2.
private func picturePickle() -> [UInt8] {
  let text = { (text: String) in [0x55, UInt8(text.utf8.count)] + Array(text.utf8) }
  let global = { (name: String) in Array("cnumpy\n\(name)\n".utf8) }
  var bytes: [UInt8] = [0x80, 2] + Array("}q\u{1}(".utf8) + text("labels")
  bytes += Array("]q\u{2}(".utf8) + [0x4B, 3, 0x65] + text("data") + global("_reconstruct")
  bytes += global("ndarray") + [0x4B, 0, 0x85] + text("b") + [0x87, 0x52, 0x28, 0x4B, 1]
  bytes += [0x4B, 1, 0x4D, 0, 12, 0x86] + global("dtype") + text("u1") + [0x4B, 0, 0x4B, 1]
  bytes += [0x87, 0x52, 0x28, 0x4B, 3] + text("|") + Array("NNNJ\u{7F}\u{7F}\u{7F}\u{7F}K".utf8)
  bytes += [0, 0x74, 0x62, 0x89, 0x54, 0, 12, 0, 0] + [UInt8](repeating: 0, count: 3072)
  return bytes + [0x74, 0x62] + Array("u.".utf8)
}

private func listOpsTable() -> [UInt8] {
  let lines = ["( ( ( [MAX 4 ) 3 ) ] )\t4", "( ( [SM ( ( [MED 1 ) 5 ) ] ) 9 ) ]\t2", "7\t7"]
  return Array((["Source\tTarget"] + lines).map { $0 + "\r\n" }.joined().utf8)
}

/// For each model a line with its name, and some of its settings.
private let assignments: [String] = VariantCatalog.all.map { entry in
  let own = entry.options.map { "\($0.key)=\($0.value)" }
  let common = [
    "model.layers=2", "model.width=64", "model.heads=2", "task.length=1024", "train.steps=100",
    "train.batch=4", "train.warmup=10", "model.norm=layer", "train.learning-rate=1e-3",
  ]
  return ([entry.name] + own + common).joined(separator: "\n")
}
