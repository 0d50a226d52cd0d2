// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Tasks
import Testing

@Suite struct PathfinderTests {
  private let folder: Scratch

  init() throws { folder = try Scratch() }

  private func task(
    _ data: String = "data", _ change: (inout TaskOptions) -> Void = { _ in }
  ) throws -> Pathfinder {
    var options = TaskOptions(
      trainCount: 16, valCount: 2, testCount: 2, dataFolder: "\(folder.path)/\(data)",
      settings: ["level": "easy"])
    change(&options)
    return try Pathfinder(options)
  }

  /// The task on what is in the folder, with all examples.
  private func reader(_ data: String = "data") throws -> Pathfinder {
    try Pathfinder(
      TaskOptions(dataFolder: "\(folder.path)/\(data)", settings: ["level": "easy"]))
  }

  /// The folder of genuine pictures.
  private var level: String { "\(folder.path)/data/pathfinder/pathfinder32/curv_baseline" }

  /// Twenty pictures in three batches, the last of which has the number 10.
  private func writePictures() throws {
    for (batch, count) in [(2, 9), (10, 1), (0, 10)] {
      var rows = ""
      for number in 0..<count {
        let grey = UInt8(10 * batch + number)
        try folder.write(
          PNG.encode([UInt8](repeating: grey, count: 1024), width: 32),
          "data/pathfinder/pathfinder32/curv_baseline/imgs/\(batch)/sample_\(number).png")
        rows += "imgs/\(batch) sample_\(number).png \(number) \(number % 2) 1.0 6 2 2 0.5 1 1\n"
      }
      try folder.write(
        Array(rows.utf8),
        "data/pathfinder/pathfinder32/curv_baseline/metadata/\(batch).npy")
    }
  }

  private func tokens(_ source: any ExampleSource, _ example: Int) throws -> [Int32] {
    var tokens: [Int32] = []
    try source.append(example, tower: 0, to: &tokens)
    return tokens
  }

  // MARK: Generated

  @Test("Without files the pictures are generated, kept, and found again")
  func generated() throws {
    let first = try task()
    try first.prepare { _ in }
    let hash = try first.contentHash()
    #expect(try Split.allCases.map { try first.examples($0).count } == [16, 2, 2])
    #expect(try first.provenance() == "generated with seed 0, easy, 32 x 32")
    #expect(try tokens(first.examples(.train), 3).count == 1024)
    #expect(try first.examples(.test).length(1, tower: 0) == 1024)
    var reports: [String] = []
    let second = try task()
    try second.prepare { reports.append($0) }
    #expect(try second.contentHash() == hash && reports.isEmpty)
    #expect(try folder.names("/data/pathfinder").count == 4)  // three splits and the lock
    #expect(try task { $0.seed = 1 }.contentHash() != hash)
    #expect(try task { $0.settings = ["level": "hard"] }.contentHash() != hash)
  }

  @Test("A smaller training set is the beginning of a larger one, and leaves the rest alone")
  func counts() throws {
    let (large, small) = (try task(), try task { $0.trainCount = 5 })
    let (a, b) = (try large.examples(.train), try small.examples(.train))
    #expect(b.count == 5)
    for example in 0..<5 { #expect(try tokens(a, example) == tokens(b, example)) }
    #expect(try tokens(large.examples(.val), 1) == tokens(try small.examples(.val), 1))
    #expect(try tokens(a, 0) != tokens(large.examples(.val), 0))
  }

  @Test("A damaged prepared file is made anew")
  func damaged() throws {
    let hash = try task().contentHash()
    for name in try folder.names("/data/pathfinder") where name.hasSuffix(".gz") {
      var bytes = try readFile("\(folder.path)/data/pathfinder/\(name)")
      bytes[bytes.count / 2] ^= 1
      try folder.write(bytes, "data/pathfinder/\(name)")
    }
    var reports: [String] = []
    let again = try task()
    try again.prepare { reports.append($0) }
    #expect(try again.contentHash() == hash)
    #expect(reports.count { $0.contains("generating them again") } == 3)
  }

  @Test("What is written is read as the same data, and is in the original's format")
  func export() throws {
    let made = try task()
    try made.export(to: "\(folder.path)/other/pathfinder") { _ in }
    let level = "\(folder.path)/other/pathfinder/pathfinder32/curv_baseline"
    let metadata = String(decoding: try readFile("\(level)/metadata/0.npy"), as: UTF8.self)
    let lines = metadata.split(separator: "\n")
    let label = try made.examples(.train).label(1)
    #expect(lines.count == 20 && lines[1] == "imgs/0 sample_1.png 1 \(label) 1.0 6 2 2 0.5 1 1")
    #expect(try folder.names("/other/pathfinder/pathfinder32") == ["curv_baseline"])
    let read = try reader("other")
    #expect(try read.contentHash() == made.contentHash())
    #expect(
      try read.provenance() == "read from \(level), 80, 10 and 10 % in the order of the files")
    let twice = userError { try made.export(to: "\(folder.path)/other/pathfinder") { _ in } }
    #expect(twice?.problem == "\(level) is there already")
    let copy = userError { try read.export(to: "\(folder.path)/third") { _ in } }
    #expect(copy?.problem.contains("in the original's format already") == true)
  }

  @Test("Path-X is the same with 128 x 128 pixels")
  func pathX() throws {
    let task = try PathX(
      TaskOptions(
        trainCount: 2, valCount: 1, testCount: 1, dataFolder: folder.path,
        settings: ["level": "easy"]))
    #expect(task.length == 16_384 && task.vocabulary == 257 && task.classes == 2)
    #expect(try tokens(task.examples(.train), 0).count == 16_384)
    #expect(try task.provenance() == "generated with seed 0, easy, 128 x 128")
    let same = try Pathfinder(
      TaskOptions(
        length: 16_384, trainCount: 2, valCount: 1, testCount: 1, dataFolder: folder.path,
        settings: ["level": "easy"]))
    #expect(try same.contentHash() == task.contentHash())
    let length = userError { _ = try PathX(TaskOptions(length: 1024)) }
    #expect(
      length?.problem == "task.length is 1024, but Path-X has pictures of 16384 pixels")
  }

  @Test("Lengths and levels that do not exist are refused")
  func options() throws {
    let length = userError { _ = try task { $0.length = 2000 } }
    #expect(length?.problem.contains("1024, 4096, 16384 or 65536") == true)
    let level = userError { _ = try task { $0.settings = ["level": "medium"] } }
    #expect(level?.problem == "task.level is \"medium\"")
    for size in [32, 64, 128, 256] {
      #expect(try task { $0.length = size * size }.length == size * size)
    }
    let easy = try task()
    #expect(easy.describe([1, 256, 0]) == "0 255 <pad>")
    let picture = try tokens(easy.examples(.train), 0)
    #expect(easy.drawing(picture, inColor: false)?.split(separator: "\n").count == 16)
    #expect(easy.classNames == ["apart", "joined"])
  }

  // MARK: Genuine

  @Test("Files are read by the number of their batch, and cut 80, 10 and 10 %")
  func splits() throws {
    try writePictures()
    let task = try reader()
    let greys = try Split.allCases.map { split in
      let source = try task.examples(split)
      return try (0..<source.count).map { Int(try tokens(source, $0)[0]) - 1 }
    }
    #expect(greys == [Array(0...9) + Array(20...25), [26, 27], [28, 100]])
    #expect(try task.examples(.train).labelCounts == [8, 8])
    let source = try task.examples(.train)
    #expect((0..<4).map(source.label) == [0, 1, 0, 1])
    // From now on a single file has them all.
    try FileManager.default.removeItem(atPath: "\(level)/imgs/0")
    #expect(userError { try reader().prepare { _ in } }?.kind == .missingInput)
  }

  @Test("Read pictures are kept in a file until one changes")
  func kept() throws {
    try writePictures()
    let hash = try reader().contentHash()
    var reports: [String] = []
    try reader().prepare { reports.append($0) }
    #expect(reports.isEmpty)
    try folder.write(
      PNG.encode([UInt8](repeating: 200, count: 1024), width: 32),
      "data/pathfinder/pathfinder32/curv_baseline/imgs/0/sample_0.png")
    #expect(try reader().contentHash() != hash)
  }

  @Test("An empty picture is left out, counted and told")
  func empty() throws {
    try writePictures()
    try folder.write([], "data/pathfinder/pathfinder32/curv_baseline/imgs/2/sample_4.png")
    let task = try reader()
    var reports: [String] = []
    try task.prepare { reports.append($0) }
    #expect(
      reports.first?.hasSuffix("1 empty picture left out, such as imgs/2/sample_4.png") == true)
    #expect(try Split.allCases.map { try task.examples($0).count } == [15, 2, 2])
    #expect(try task.provenance().hasSuffix(", 1 empty picture left out"))
  }

  @Test(
    "The release's folders are found wherever they are",
    arguments: ["", "/lra_release", "/lra_release/lra_release", "/pathfinder"])
  func places(place: String) throws {
    try writePictures()
    let from = "\(folder.path)/data/pathfinder/pathfinder32"
    let root = "\(folder.path)/data/pathfinder\(place)"
    try createFolder(root)
    if !place.isEmpty {
      try FileManager.default.moveItem(atPath: from, toPath: "\(root)/pathfinder32")
    }
    #expect(try reader().provenance().hasPrefix("read from \(root)/pathfinder32/curv_baseline,"))
  }

  @Test("Pictures that cannot be read are named")
  func wrongPictures() throws {
    for (bytes, problem) in [
      (PNG.encode([UInt8](repeating: 1, count: 64 * 64), width: 64), "the picture has 64 x 64"),
      (
        Array(PNG.encode([UInt8](repeating: 1, count: 1024), width: 32).dropLast(8)),
        "cut short"
      ),
      (Array("not a picture".utf8), "this is not a PNG file"),
    ] {
      try writePictures()
      let path = try folder.write(
        bytes, "data/pathfinder/pathfinder32/curv_baseline/imgs/2/sample_3.png")
      let error = userError { try reader().prepare { _ in } }
      #expect(error?.kind == .badData)
      #expect(error?.problem.hasPrefix("\(path): ") == true)
      #expect(error?.problem.contains(problem) == true)
      #expect(
        error?.remedy == "unpack the archive again, or remove the folder to generate the data")
    }
  }

  @Test("Files and folders that are missing are named")
  func missing() throws {
    try writePictures()
    let manager = FileManager.default
    try manager.removeItem(atPath: "\(level)/imgs/2/sample_3.png")
    #expect(
      userError { try reader().prepare { _ in } }?.problem
        == "\(level)/metadata/2.npy:4: there is no picture imgs/2/sample_3.png")
    try folder.write([1], "data/pathfinder/pathfinder32/curv_baseline/metadata/notes.npy")
    #expect(
      userError { try reader().prepare { _ in } }?.problem
        == "\(level)/metadata/notes.npy: the name is not <number>.npy")
    try manager.removeItem(atPath: "\(level)/metadata")
    #expect(
      userError { try reader().prepare { _ in } }?.problem
        == "\(folder.path)/data/pathfinder/pathfinder32: curv_baseline/metadata not found")
    try manager.removeItem(atPath: level)
    #expect(
      userError { try reader().prepare { _ in } }?.problem
        == "\(folder.path)/data/pathfinder/pathfinder32: there is no folder curv_baseline")
  }

  @Test("A picture may be a link to elsewhere, as hubs store them")
  func links() throws {
    try writePictures()
    let path = "\(level)/imgs/0/sample_1.png"
    let outside = try folder.write(
      PNG.encode([UInt8](repeating: 1, count: 1024), width: 32), "outside.png")
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: outside)
    #expect(try tokens(reader().examples(.train), 1)[0] == 2)
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.createSymbolicLink(
      atPath: path, withDestinationPath: "\(level)/imgs/0/sample_3.png")
    #expect(try tokens(reader().examples(.train), 1)[0] == 4)
  }

  @Test("A folder that must not be read is named", .enabled(if: getuid() != 0))
  func permissions() throws {
    try writePictures()
    for place in ["imgs/2", "metadata"] {
      chmod("\(level)/\(place)", 0)
      let error = userError { try reader().prepare { _ in } }
      chmod("\(level)/\(place)", 0o755)
      #expect(error?.kind == .missingInput)
      #expect(error?.problem.contains("\(level)/\(place)") == true)
      #expect(error?.remedy.contains("permissions") == true)
    }
  }
}
