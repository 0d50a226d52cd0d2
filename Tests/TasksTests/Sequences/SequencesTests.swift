// SPDX-License-Identifier: Apache-2.0

import Base
import Tasks
import Testing

/// A user's own sequences, in tables and in safetensors files.
struct SequencesTests {
  private let folder: Scratch

  init() throws { folder = try Scratch() }

  private let table = "label\ttokens\n0\t3 1 4\n2\t1 5\n1\t9 2 6 5\n"

  /// The task as a run makes it: with what the data say of themselves.
  private func task(
    length: Int? = nil, seed: UInt64 = 0, trainCount: Int? = nil
  ) throws -> any ArenaTask {
    let entry = try TaskCatalog.named("sequences")
    let derived = try entry.derived(folder.path)
    let values = Dictionary(
      uniqueKeysWithValues: derived.map { (String($0.key.dropFirst(5)), $0.value) })
    return try entry.make(
      TaskOptions(
        length: length ?? values["length"].flatMap(Int.init(setting:)), trainCount: trainCount,
        seed: seed, dataFolder: folder.path, settings: values.filter { $0.key != "length" }))
  }

  private func write(_ train: String, val: String? = nil, test: String? = nil) throws {
    _ = try folder.write(train, "train.tsv")
    if let val { _ = try folder.write(val, "val.tsv") }
    _ = try folder.write(test ?? train, "test.tsv")
  }

  private func tokens(_ source: any ExampleSource) throws -> [[Int32]] {
    try (0..<source.count).map { example in
      var tokens: [Int32] = []
      try source.append(example, tower: 0, to: &tokens)
      return tokens
    }
  }

  @Test("A table says how many classes, tokens and places there are")
  func derived() throws {
    try write(table, val: "label\ttokens\n0\t1\n", test: "label\ttokens\n3\t30 1\n")
    let task = try task()
    #expect(task.classes == 4 && task.vocabulary == 31 && task.length == 4)
    #expect(task.classNames == ["0", "1", "2", "3"])
    let train = try task.examples(.train)
    #expect(try tokens(train) == [[3, 1, 4], [1, 5], [9, 2, 6, 5]])
    #expect((0..<3).map(train.label) == [0, 2, 1] && train.labelCounts == [1, 1, 1, 0])
    #expect(try task.provenance() == "read from \(folder.path)")
    #expect(task.describe([3, 1, 4]) == "3 1 4")
  }

  @Test("Texts are bytes plus 1 without the blanks at their ends; other labels are names, sorted")
  func texts() throws {
    try write("label\ttext\npro\t a é\tb \ncon\tno\n", val: "label\ttext\npro\tx\n")
    let task = try task()
    #expect(task.classNames == ["con", "pro"] && task.vocabulary == 257 && task.length == 6)
    let train = try task.examples(.train)
    #expect(try tokens(train)[0] == Array("a é\tb".utf8).map { Int32($0) + 1 })
    #expect(train.label(0) == 1 && train.label(1) == 0)
    #expect(task.describe(try tokens(train)[1]) == "no")
  }

  @Test("safetensors, padded or with offsets, and a compressed table hold the same data")
  func formats() throws {
    try write(table, val: table)
    let hash = try task().contentHash()
    for (number, tokens) in [
      ([3, 4], [3, 1, 4, 0, 1, 5, 0, 0, 9, 2, 6, 5]), ([9], [3, 1, 4, 1, 5, 9, 2, 6, 5]),
    ].enumerated() {
      var file = SafeTensors()
      file.add("labels", shape: [3], [0, 2, 1] as [UInt8])
      file.add("tokens", shape: tokens.0, tokens.1.map(Int32.init))
      if number == 1 { file.add("offsets", shape: [4], [0, 3, 5, 9] as [Int64]) }
      try folder.write([], "unused")
      for split in ["train", "val", "test"] {
        FileSystem.remove("\(folder.path)/\(split).tsv")
        try folder.write(file.serialized(), "\(split).safetensors")
      }
      #expect(try task().contentHash() == hash)
    }
    for split in ["train", "val", "test"] {
      FileSystem.remove("\(folder.path)/\(split).safetensors")
      try folder.write(Gzip.compress(Array(table.utf8)), "sequences/\(split).tsv.gz")
    }
    #expect(try task().contentHash() == hash)
  }

  @Test("Without a val file a tenth of the training examples is held out by the seed")
  func heldOut() throws {
    let lines = (0..<40).map { "\($0 % 2)\t\($0 + 1)\n" }.joined()
    try write("label\ttokens\n" + lines, test: "label\ttokens\n1\t1\n")
    let task = try task()
    let (train, val) = try (tokens(task.examples(.train)), tokens(task.examples(.val)))
    #expect(train.count == 36 && val.count == 4 && Set(train + val).count == 40)
    #expect(try tokens(self.task(seed: 1).examples(.val)) != val)
    #expect(try task.provenance().hasSuffix("validated on 4 training examples held out, seed 0"))
    #expect(try self.task(trainCount: 5).examples(.train).count == 5)
  }

  @Test("Longer sequences are cut and counted")
  func cut() throws {
    try write(table, val: table)
    let task = try task(length: 3)
    #expect(try tokens(task.examples(.train)) == [[3, 1, 4], [1, 5], [9, 2, 6]])
    #expect(try task.provenance().hasSuffix(", 3 examples cut to 3 tokens"))
    let given = try task.examples(at: "\(folder.path)/test.tsv")
    #expect(given.provenance == "read from \(folder.path)/test.tsv, 1 examples cut to 3 tokens")
  }

  @Test(
    "What is wrong in a table is told with its line",
    arguments: [
      ("", "train.tsv: the file is empty"), ("label\ttokens\n", "there are no examples"),
      ("1\t2 3\n", "train.tsv:1: the first line is neither label<TAB>tokens nor label<TAB>text"),
      ("label\ttokens\n1\t2\n\n", "train.tsv:3: the line is empty"),
      ("label\ttokens\n1 2 3\n", "train.tsv:2: there is no tab behind the label"),
      ("label\ttokens\n1\t2 0 3\n", "train.tsv:2: \"0\" is no token"),
      ("label\ttokens\n1\t2 -3\n", "train.tsv:2: \"-3\" is no token"),
      ("label\ttokens\n1\t99999999999999999999\n", "is no token"),
      ("label\ttokens\n1\t \n", "train.tsv:2: the sequence is empty"),
      ("label\ttokens\n \t2\n", "train.tsv:2: the label is empty or no UTF-8"),
      ("label\ttokens\n1\t2\n-1\t2\n", "train.tsv:3: the label is -1, but classes are numbered"),
      ("label\ttokens\n0\t2\n700\t2\n", "train.tsv:3: the label is 700, but classes are numbered"),
      ("label\ttext\na,b\tx\n", "train.tsv:2: the label \"a,b\" is no name of a class"),
    ])
  func faults(text: String, problem: String) throws {
    try write(text)
    let error = userError { _ = try task() }
    #expect(error?.problem.contains(problem) == true, "\(error?.problem ?? "no error")")
    #expect(error?.kind == .badData)
  }

  @Test("More labels than classes can be are refused")
  func labels() throws {
    let lines = (0..<300).map { "name\($0)\tx\n" }.joined()
    try write("label\ttext\n" + lines)
    #expect(userError { _ = try task() }?.problem.contains("train.tsv:258: there are more") == true)
  }

  @Test("What is wrong in a safetensors file is told with its row")
  func arrays() throws {
    let problems: [([Int64], [Int], [Int32], String)] = [
      ([0, 1], [2, 2], [1, 2, 0, 3], "row 1: token 0 is 0"),
      ([0, 1], [2, 2], [1, 2, 0, 0], "row 1: the sequence is empty"),
      ([0, 1], [1, 4], [1, 2, 3, 4], "tokens has the shape [1, 4], not [2, L]"),
      ([0, 1], [2, 2], [1, 2, 3, -4], "row 1: token 1 is -4"),
      ([0, 1], [4], [1, 2, 3, 4], "tokens has the shape [4], not [2, L]"),
      ([0, -1], [2, 1], [1, 2], "row 1: the label is -1"),
    ]
    for (labels, shape, tokens, problem) in problems {
      var file = SafeTensors()
      file.add("labels", shape: [labels.count], labels)
      file.add("tokens", shape: shape, tokens)
      for split in ["train", "test"] { try folder.write(file.serialized(), "\(split).safetensors") }
      let error = userError { _ = try task() }
      #expect(error?.problem.contains(problem) == true, "\(error?.problem ?? "no error")")
    }
  }

  @Test("Files are missing, there twice, or in different forms")
  func files() throws {
    let none = userError { try task().prepare { _ in } }
    #expect(none?.kind == .missingInput && none?.problem.contains("no train.tsv") == true)
    _ = try folder.write(table, "train.tsv")
    #expect(userError { _ = try task() }?.problem == "\(folder.path): there is no test.tsv")
    _ = try folder.write("label\ttext\n0\tx\n", "test.tsv")
    #expect(userError { _ = try task() }?.problem.contains("test.tsv holds text, but") == true)
    _ = try folder.write(table, "test.tsv.gz")
    #expect(userError { _ = try task() }?.problem.contains("are both there") == true)
  }

  @Test("Other examples must have the tokens, labels and form that the model knows")
  func given() throws {
    try write(table, val: table)
    let task = try task()
    for (text, problem) in [
      ("label\ttokens\n0\t1\n1\t10\n", "other.tsv:3: there is a token 10, but the model knows"),
      ("label\ttokens\n0\t1\n3\t1\n", "other.tsv:3: the label \"3\" is none of 0 to 2"),
      ("label\ttext\n0\tx\n", "other.tsv: the sequences are text, but should be tokens"),
    ] {
      let path = try folder.write(text, "other.tsv")
      let error = userError { _ = try task.examples(at: path) }
      #expect(error?.problem.contains(problem) == true, "\(error?.problem ?? "no error")")
    }
  }
}
