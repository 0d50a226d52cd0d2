// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Tasks
import Testing

@Suite struct RetrievalTests {
  private let folder: Scratch

  init() throws { folder = try Scratch() }

  private func task(
    length: Int? = nil, seed: UInt64 = 0, literals: String? = nil, trainCount: Int? = nil
  ) throws -> Retrieval {
    var options = TaskOptions(
      length: length, trainCount: trainCount, seed: seed, dataFolder: folder.path)
    options.settings["literals"] = literals.map(Setting.text)
    return try Retrieval(options)
  }

  /// Pairs that tell their split, number and side, in a folder below the data folder.
  private func writePairs(in place: String = "retrieval", train: Int = 6) throws {
    for (split, count) in [("train", train), ("eval", 3), ("test", 4)] {
      let lines = (0..<count).map {
        "\($0 % 2).0\tP\($0)\tN\($0)\tb'\(split) \($0)\\n'\tb\"it's \($0)\""
      }
      _ = try folder.write(
        lines.joined(separator: "\n") + "\n", "\(place)/new_aan_pairs.\(split).tsv")
    }
  }

  private func texts(_ task: Retrieval, _ split: Split, tower: Int = 0) throws -> [String] {
    let source = try task.examples(split)
    return try (0..<source.count).map { example in
      var tokens: [Int32] = []
      try source.append(example, tower: tower, to: &tokens)
      #expect(try tokens.count == source.length(example, tower: tower))
      return task.describe(tokens)
    }
  }

  @Test("Tokens are bytes plus 1 of the column as it stands, cut at the length")
  func tokens() throws {
    try writePairs()
    let bytes = Array("1\ta\tb\t".utf8) + [0, 0xFF, 9, 0x62] + Array("\r\n".utf8)
    try folder.write(bytes, "retrieval/new_aan_pairs.test.tsv")
    for (length, expected) in [(4000, [1, 256]), (1, [1])] {
      var tokens: [Int32] = []
      try task(length: length).examples(.test).append(0, tower: 0, to: &tokens)
      #expect(tokens.map(Int.init) == expected)
    }
    #expect(try texts(task(), .test, tower: 1) == ["b"])
    #expect(try texts(task(), .val, tower: 0)[1] == #"b'eval 1\n'"#)
    #expect(try texts(task(), .val, tower: 1)[1] == #"b"it's 1""#)
    let task = try task()
    #expect(task.length == 4000)
    let sizes = [task.classes, task.vocabulary, task.towers]
    #expect(sizes == [2, 257, 2])
  }

  @Test("A file that is shortened while it is in use is an error that names the line")
  func shortened() throws {
    try writePairs()
    let path = folder.path + "/retrieval/new_aan_pairs.test.tsv"
    let source = try task().examples(.test)
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.truncate(atOffset: handle.seekToEndOfFile() - 4)
    try handle.close()
    #expect(try makeBatch(source, examples: [0, 1, 2], towers: 2).labels == [0, 1, 0])
    let error = #expect(throws: UserError.self) {
      try makeBatch(source, examples: [2, 3], towers: 2)
    }
    #expect(error?.problem == "\(path):4: the line is not what it was when the file was indexed")
  }

  @Test("Of a text no more than 10,000 bytes count, whatever the length")
  func longTexts() throws {
    try writePairs()
    let text = String(repeating: "x", count: 12_000)
    _ = try folder.write("1\ta\tb\t\(text)\ty", "retrieval/new_aan_pairs.test.tsv")
    for (length, expected) in [(20_000, 10_000), (10_000, 10_000), (4000, 4000)] {
      let source = try task(length: length).examples(.test)
      #expect(try [0, 1].map { try source.length(0, tower: $0) } == [expected, 1])
    }
  }

  @Test("Literals are undone on demand")
  func undone() throws {
    try writePairs()
    let task = try task(literals: "undone")
    #expect(try texts(task, .train)[2] == "train 2\\n")
    #expect(try texts(task, .train, tower: 1)[2] == "it's 2")
    #expect(try texts(self.task(length: 3, literals: "undone"), .train)[0] == "tra")
    #expect(try task.contentHash() != self.task().contentHash())
    #expect(try task.provenance() == "read from \(folder.path)/retrieval, literals undone")
    let error = userError { _ = try self.task(literals: "maybe") }
    #expect(error?.problem == "task.literals is \"maybe\"")
  }

  @Test("Splits are the three files, in their order, with their labels")
  func splits() throws {
    try writePairs()
    let task = try task()
    #expect(try texts(task, .val) == (0..<3).map { "b'eval \($0)\\n'" })
    for (split, counts) in [(Split.train, [3, 3]), (.val, [2, 1]), (.test, [2, 2])] {
      let source = try task.examples(split)
      #expect(source.labelCounts == counts)
      #expect((0..<source.count).allSatisfy { source.label($0) == $0 % 2 })
    }
    #expect(task.classNames == ["unrelated", "cited"])
  }

  @Test("Fewer examples are chosen by the seed, and stay in their order")
  func fewer() throws {
    try writePairs(train: 200)
    let chosen = try texts(task(trainCount: 50), .train)
    let all = try texts(task(), .train)
    #expect(chosen.count == 50 && all.count == 200)
    #expect(chosen == all.filter(chosen.contains))
    #expect(chosen != Array(all.prefix(50)))
    #expect(try texts(task(seed: 1, trainCount: 50), .train) != chosen)
    let source = try task(trainCount: 50).examples(.train)
    #expect(source.labelCounts[1] == (0..<50).count { source.label($0) == 1 })
    let more = try task(trainCount: 201)
    #expect(try more.examples(.train).count == 200)
    #expect(try more.provenance().hasSuffix("all 200 train examples (task.train-count is 201)"))
    #expect(
      userError { _ = try task(length: 0) }?.problem
        .hasPrefix("task.length is 0, but must be") == true)
  }

  @Test("The content's hash sees every text, label and the length")
  func hashes() throws {
    try writePairs()
    let hash = try task().contentHash()
    #expect(try task().contentHash() == hash)
    #expect(try task(length: 3).contentHash() != hash)
    #expect(try task(trainCount: 5).contentHash() != hash)
    let path = "\(folder.path)/retrieval/new_aan_pairs.test.tsv"
    let bytes = try readFile(path)
    for place in [0, bytes.count - 3] {
      var changed = bytes
      changed[place] = changed[place] == 0x30 ? 0x31 : 0x41
      try writeAtomically(changed, to: path)
      #expect(try task().contentHash() != hash)
    }
    try writeAtomically(bytes, to: path)
    #expect(try task().contentHash() == hash)
  }

  @Test(
    "The files are found where archives have them",
    arguments: [
      "retrieval", "retrieval/tsv_data", "retrieval/aan", "retrieval/lra_release/tsv_data",
      "retrieval/lra_release/lra_release/tsv_data",
    ])
  func places(place: String) throws {
    try writePairs(in: place)
    #expect(try task().provenance() == "read from \(folder.path)/\(place), literals kept")
    #expect(try task().examples(.train).count == 6)
  }

  @Test("Pairs by names give what pairs with texts give")
  func papers() throws {
    try writePairs()
    let expected = try Split.allCases.map { try texts(self.task(literals: "undone"), $0, tower: 1) }
    try FileManager.default.removeItem(atPath: "\(folder.path)/retrieval")
    for (split, count) in [("train", 6), ("eval", 3), ("test", 4)] {
      let lines = (0..<count).map { "\($0 % 2).0\tN0\tN\($0)\r\n" }
      _ = try folder.write(lines.joined(), "retrieval/aan/id_pairs.\(split).tsv")
    }
    for number in 0..<6 {
      _ = try folder.write("it's \(number)", "retrieval/aan/papers_text/N\(number).txt")
    }
    let task = try task()
    #expect(try Split.allCases.map { try texts(task, $0, tower: 1) } == expected)
    #expect(try texts(task, .train, tower: 0) == [String](repeating: "it's 0", count: 6))
    #expect(
      try task.provenance() == "read from \(folder.path)/retrieval/aan, papers by their names")
    #expect(try texts(self.task(length: 2), .test, tower: 1)[3] == "it")
    #expect(try task.contentHash() != self.task(trainCount: 3).contentHash())
  }
}
