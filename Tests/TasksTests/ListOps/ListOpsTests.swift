// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Tasks
import Testing

@Suite struct ListOpsTests {
  private let folder: Scratch
  private let options: TaskOptions

  init() throws {
    folder = try Scratch()
    options = TaskOptions(
      length: 60, trainCount: 30, valCount: 10, testCount: 12, dataFolder: folder.path)
  }

  private func labels(_ task: ListOps, _ split: Split) throws -> [Int] {
    let source = try task.examples(split)
    return (0..<source.count).map(source.label)
  }

  private func write(_ name: String, _ lines: String) throws {
    _ = try folder.write("Source\tTarget\r\n" + lines, "listops/\(name)")
  }

  @Test("Generated data have the sizes asked for and are read back from their files")
  func prepared() throws {
    var reports: [String] = []
    let first = try ListOps(options)
    try first.prepare { reports.append($0) }
    #expect(reports.first == "generating ListOps, seed 0")
    #expect(try Split.allCases.map { try first.examples($0).count } == [30, 10, 12])
    let files = try folder.names("/listops")
    #expect(files.count == 4 && files.first == ".lock")
    reports = []
    let second = try ListOps(options)
    try second.prepare { reports.append($0) }
    #expect(reports.isEmpty)
    #expect(try second.contentHash() == first.contentHash())
    #expect(try second.provenance() == "generated with seed 0, 15 < length < 60")
    #expect(try folder.names("/listops") == files)
  }

  @Test("Every option makes files and content of its own")
  func separateFiles() throws {
    var changed = [options, options, options]
    changed[0].seed = 1
    changed[1].length = 90
    changed[2].trainCount = 31
    let hashes = try ([options] + changed).map { try ListOps($0).contentHash() }
    #expect(Set(hashes).count == 4)
    #expect(try folder.names("/listops").count == 1 + 4 * 3)
  }

  @Test("A smaller training set leaves validation and test as they are")
  func stableTest() throws {
    var smaller = options
    smaller.trainCount = 5
    let (a, b) = (try ListOps(options), try ListOps(smaller))
    for split in [Split.val, .test] {
      #expect(try labels(a, split) == labels(b, split))
    }
    #expect(try Array(labels(a, .train).prefix(5)) == labels(b, .train))
  }

  /// A prepared file that fits together, but holds what was never written.
  private func changed(_ path: String, _ kind: String) throws -> SafeTensors {
    let kept = try SafeTensors(Gzip.read(path), name: path)
    var tokens = try kept.bytes("tokens")
    var labels = try kept.bytes("labels")
    var offsets = try kept.integers("offsets")
    switch kind {
    case "token": tokens[0] = 16
    case "label": labels[0] = (labels[0] + 1) % 10
    case "short": for place in 1..<offsets.count - 1 { offsets[place] = 0 }
    default: tokens += [UInt8](repeating: 1, count: 64 << 20)
    }
    offsets[offsets.count - 1] = Int64(tokens.count)
    var file = SafeTensors()
    file.metadata = kept.metadata
    file.add("tokens", shape: [tokens.count], tokens)
    file.add("offsets", shape: [offsets.count], offsets)
    file.add("labels", shape: [labels.count], labels)
    return file
  }

  @Test(
    "Damaged files are noticed and made again",
    arguments: ["cut", "flipped", "foreign", "token", "label", "short", "bomb"])
  func damaged(kind: String) throws {
    let hash = try ListOps(options).contentHash()
    let name = try #require(folder.names("/listops").first { $0.hasPrefix("train") })
    let path = "\(folder.path)/listops/\(name)"
    let genuine = try readFile(path)
    var bytes = genuine
    switch kind {
    case "cut": bytes.removeLast(20)
    case "flipped": bytes[bytes.count - 6] ^= 1
    case "foreign": bytes = Gzip.compress(SafeTensors().serialized())
    default: bytes = try Gzip.compress(changed(path, kind).serialized())
    }
    try writeAtomically(bytes, to: path)
    var reports: [String] = []
    let task = try ListOps(options)
    try task.prepare { reports.append($0) }
    #expect(reports.first?.hasPrefix(path) == true)
    #expect(reports.first?.hasSuffix("; generating it again") == true)
    #expect(try task.contentHash() == hash)
    #expect(try readFile(path) == genuine)
  }

  @Test(
    "The original's files are used when they are there",
    arguments: ["", "lra_release/listops-1000/"])
  func original(place: String) throws {
    try write(place + "basic_train.tsv", "[MAX 4 3 ]\t4\r\n1\t1\r\n")
    try write(place + "basic_val.tsv", "2\t2\r\n")
    try write(place + "basic_test.tsv", "3\t3\r\n4\t4\r\n5\t5\r\n")
    let task = try ListOps(TaskOptions(length: 3, dataFolder: folder.path))
    #expect(try labels(task, .train) == [4, 1])
    #expect(try labels(task, .val) == [2])
    #expect(try labels(task, .test) == [3, 4, 5])
    #expect(try task.provenance().hasPrefix("read from \(folder.path)/listops"))
    #expect(try task.provenance().hasSuffix(", 1 examples cut to 3 tokens"))
    let error = userError { try task.export(to: folder.path + "/out") { _ in } }
    #expect(error?.problem.contains("cut to 3 tokens") == true)
  }

  @Test(
    "The files are found packed, in a folder of another name, and in the data folder itself",
    arguments: [
      "listops/listops-short", "listops/mine/lists", "lra_release/lra_release/listops-1000",
    ])
  func places(place: String) throws {
    for split in ["train", "val", "test"] {
      let text = "Source\tTarget\r\n[MAX 4 3 ]\t4\r\n"
      try folder.write(Gzip.compress(Array(text.utf8)), "\(place)/basic_\(split).tsv.gz")
    }
    let task = try ListOps(TaskOptions(dataFolder: folder.path))
    #expect(try labels(task, .train) == [4])
    #expect(try task.provenance() == "read from \(folder.path)/\(place)")
    let path = "\(folder.path)/\(place)/basic_val.tsv.gz"
    try writeAtomically(readFile(path).dropLast(9), to: path)
    let error = userError { try ListOps(TaskOptions(dataFolder: folder.path)).prepare { _ in } }
    #expect(error?.problem.hasPrefix("\(path): the compressed file is damaged or cut") == true)
  }

  @Test(
    "Nothing is generated where somebody's data would be passed over",
    arguments: ["lra_release.gz", "listops-1000.tar.gz", "mine/train.tsv", "valid.csv"])
  func strangers(name: String) throws {
    try folder.write([1], "listops/\(name)")
    let error = userError { try ListOps(options).prepare { _ in } }
    #expect(error?.kind == .missingInput)
    let first = name.prefix { $0 != "/" }
    #expect(error?.problem.hasPrefix("\(folder.path)/listops: \(first) would be passed") == true)
    #expect(error?.remedy.contains("tar -xf") == name.hasSuffix("gz"))
    try FileManager.default.removeItem(atPath: "\(folder.path)/listops/\(first)")
    try ListOps(options).prepare { _ in }
    try ListOps(options).prepare { _ in }
  }

  @Test("Some of the original's files are not enough")
  func incomplete() throws {
    try write("basic_train.tsv", "1\t1\r\n")
    let error = userError { _ = try ListOps(options).examples(.train) }
    #expect(error?.kind == .missingInput)
    #expect(
      error?.problem == "\(folder.path)/listops: basic_val.tsv and basic_test.tsv not found")
  }

  @Test("Exported data are read back as the original's")
  func export() throws {
    let task = try ListOps(options)
    try task.export(to: folder.path + "/copy/listops") { _ in }
    #expect(
      try folder.names("/copy/listops") == ["basic_test.tsv", "basic_train.tsv", "basic_val.tsv"])
    let copy = try ListOps(TaskOptions(length: 60, dataFolder: folder.path + "/copy"))
    #expect(try copy.contentHash() == task.contentHash())
    #expect(try copy.provenance() == "read from \(folder.path)/copy/listops")
    let text = try readFile(folder.path + "/copy/listops/basic_val.tsv")
    #expect(text.starts(with: Array("Source\tTarget\r\n( ".utf8)))
    #expect(text.filter { $0 == UInt8(ascii: "\n") }.count == 11)
  }

  @Test("Options that make no sense are refused")
  func refused() throws {
    for length in [0, -5] {
      let error = userError { _ = try ListOps(TaskOptions(length: length)) }
      #expect(error?.kind == .usage)
      #expect(error?.problem.hasPrefix("task.length is \(length), but must be") == true)
    }
    let count = userError { _ = try ListOps(TaskOptions(valCount: 0)) }
    #expect(count?.problem.hasPrefix("task.val-count is 0, but must be") == true)
    let task = try ListOps(TaskOptions(length: 3, dataFolder: folder.path))
    let impossible = userError { try task.prepare { _ in } }
    #expect(impossible?.kind == .usage)
  }

  @Test("A data folder that is a file is named")
  func unusableFolder() throws {
    let path = try folder.write("", "file")
    let error = userError { _ = try ListOps(TaskOptions(dataFolder: path)).examples(.test) }
    #expect(error?.kind == .cannotWrite)
    #expect(error?.problem.hasPrefix("cannot create the folder \(path)/listops: ") == true)
  }

  @Test("Tokens are shown as people write them")
  func describe() throws {
    let task = try ListOps(TaskOptions())
    #expect(task.describe([12, 5, 4, 15]) == "[MAX 4 3 ]")
    #expect(task.describe([0, 16, 99, -1]) == "<pad> <unk> ? ?")
    let sizes = [task.classes, task.vocabulary, task.towers, task.length]
    #expect(sizes == [10, 17, 1, 2000])
  }
}
