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

  @Test("Damaged files are noticed and made again", arguments: ["cut", "flipped", "foreign"])
  func damaged(kind: String) throws {
    let hash = try ListOps(options).contentHash()
    let name = try #require(folder.names("/listops").first { $0.hasPrefix("train") })
    let path = "\(folder.path)/listops/\(name)"
    let genuine = try readFile(path)
    var bytes = genuine
    switch kind {
    case "cut": bytes.removeLast(20)
    case "flipped": bytes[bytes.count - 6] ^= 1
    default: bytes = Gzip.compress(SafeTensors().serialized())
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
      #expect(error?.problem == "task.length is \(length)")
    }
    let count = userError { _ = try ListOps(TaskOptions(valCount: 0)) }
    #expect(count?.problem == "task.val-count is 0")
    let task = try ListOps(TaskOptions(length: 3, dataFolder: folder.path))
    let impossible = userError { try task.prepare { _ in } }
    #expect(impossible?.kind == .usage)
  }

  @Test("A data folder that is a file is named")
  func unusableFolder() throws {
    let path = try folder.write("", "file")
    let error = userError { _ = try ListOps(TaskOptions(dataFolder: path)).examples(.test) }
    #expect(error?.kind == .cannotWrite)
    #expect(error?.problem == "cannot create the folder \(path)/listops")
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
