// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Tasks
import Testing

@Suite struct TextTests {
  private let folder: Scratch

  init() throws { folder = try Scratch() }

  private func task(
    length: Int? = nil, seed: UInt64 = 0, validation: String? = nil, trainCount: Int? = nil
  ) throws -> Text {
    var options = TaskOptions(
      length: length, trainCount: trainCount, seed: seed, dataFolder: folder.path)
    options.settings["validation"] = validation.map(Setting.text)
    return try Text(options)
  }

  private func write(_ bytes: [UInt8], _ name: String) throws {
    try folder.write(bytes, "text/aclImdb/\(name)")
  }

  /// Ten reviews of each class in each part, which tell where they come from.
  private func writeReviews() throws {
    for part in ["train", "test"] {
      for (name, stars) in [("neg", 3), ("pos", 8)] {
        for id in 0..<10 {
          try write(Array("\(part) \(name) \(id)".utf8), "\(part)/\(name)/\(id)_\(stars).txt")
        }
      }
    }
  }

  private func texts(_ task: Text, _ split: Split) throws -> [String] {
    let source = try task.examples(split)
    return try (0..<source.count).map { example in
      var tokens: [Int32] = []
      try source.append(example, tower: 0, to: &tokens)
      #expect(try tokens.count == source.length(example, tower: 0))
      return task.describe(tokens)
    }
  }

  @Test("Tokens are bytes plus 1, from the stripped review, cut at the length")
  func tokens() throws {
    try writeReviews()
    try write(Array(" \t\r\n\u{0B}\u{0C}Ä b\0\n  ".utf8), "test/neg/0_1.txt")
    try FileManager.default.removeItem(atPath: "\(folder.path)/text/aclImdb/test/neg/0_3.txt")
    for (length, expected) in [(4000, [196, 133, 33, 99, 1]), (3, [196, 133, 33])] {
      let task = try task(length: length)
      let place = try texts(task, .test).firstIndex { $0.hasPrefix("Ä") }
      var tokens: [Int32] = []
      try task.examples(.test).append(#require(place), tower: 0, to: &tokens)
      #expect(tokens.map(Int.init) == expected)
    }
    #expect(try task().length == 4000)
    let sizes = try [task().classes, task().vocabulary, task().towers]
    #expect(sizes == [2, 257, 1])
  }

  @Test("A blank that only Unicode calls one stays, as in TensorFlow Datasets")
  func unicodeBlanks() throws {
    try writeReviews()
    try write(Array("\u{A0}good\u{85}\n".utf8), "test/pos/9_8.txt")
    #expect(
      try texts(task(), .test).contains("\u{A0}good\\u{85}".replacing("\u{A0}", with: "\\u{A0}"))
        || texts(task(), .test).contains { $0.contains("good\\u{0085}") })
  }

  @Test("Labels come from the folders, neg 0 and pos 1")
  func labels() throws {
    try writeReviews()
    let task = try task()
    for split in Split.allCases {
      let source = try task.examples(split)
      for (example, text) in try texts(task, split).enumerated() {
        #expect(source.label(example) == (text.contains("pos") ? 1 : 0))
      }
      #expect(source.labelCounts.reduce(0, +) == source.count)
    }
    #expect(try task.examples(.test).labelCounts == [10, 10])
    #expect(task.classNames == ["negative", "positive"])
  }

  @Test("A tenth of the training reviews is held out, which the seed chooses")
  func holdout() throws {
    try writeReviews()
    let task = try task()
    let (train, val) = (try texts(task, .train), try texts(task, .val))
    #expect(train.count == 18 && val.count == 2)
    #expect(Set(train + val).count == 20)
    #expect((train + val).allSatisfy { $0.hasPrefix("train") })
    #expect(try texts(self.task(), .val) == val)
    let others = try (1...5).map { try texts(self.task(seed: $0), .val) }
    #expect(Set(others + [val]).count > 3)
    #expect(
      try task.provenance()
        == "read from \(folder.path)/text/aclImdb, validated on 2 of the training reviews held out, "
        + "seed 0")
    #expect(try texts(self.task(trainCount: 5), .train) == Array(train.prefix(5)))
    #expect(try texts(self.task(trainCount: 5), .val) == val)
  }

  @Test("On demand validation is the test split, as in the original")
  func validationOnTest() throws {
    try writeReviews()
    let task = try task(validation: "test")
    #expect(try texts(task, .train).count == 20)
    #expect(try texts(task, .val) == texts(task, .test))
    #expect(try task.provenance().hasSuffix("validated on 20 of the test reviews"))
    #expect(try task.contentHash() != self.task().contentHash())
    let error = userError { _ = try self.task(validation: "maybe") }
    #expect(error?.problem == "task.validation is \"maybe\"")
    #expect(error?.kind == .usage)
  }

  @Test("unsup, hidden files and files beside the folders do not count")
  func ignored() throws {
    try writeReviews()
    let hash = try task().contentHash()
    try write([1], "train/unsup/0_0.txt")
    try write([1], "train/neg/.DS_Store")
    try write([1], "train/labeledBow.feat")
    #expect(try task().contentHash() == hash)
  }

  @Test("The folder may be the task's own, and may be a link")
  func places() throws {
    try writeReviews()
    let hash = try task().contentHash()
    let files = FileManager.default
    try files.moveItem(
      atPath: "\(folder.path)/text/aclImdb", toPath: "\(folder.path)/elsewhere")
    try files.createSymbolicLink(
      atPath: "\(folder.path)/text/aclImdb", withDestinationPath: "\(folder.path)/elsewhere")
    #expect(try task().contentHash() == hash)
    try files.removeItem(atPath: "\(folder.path)/text")
    try files.moveItem(atPath: "\(folder.path)/elsewhere", toPath: "\(folder.path)/text")
    #expect(try task().contentHash() == hash)
  }

  @Test("Numbers that make no sense are refused; of more than there are all are taken")
  func refused() throws {
    #expect(
      userError { _ = try task(length: 0) }?.problem
        .hasPrefix("task.length is 0, but must be") == true)
    try writeReviews()
    let more = try task(trainCount: 19)
    #expect(try more.examples(.train).count == 18)
    #expect(try more.provenance().hasSuffix("all 18 train examples (task.train-count is 19)"))
    #expect(try more.contentHash() == task().contentHash())
  }

  @Test("Text is shown as it is, what steers a terminal by its number")
  func describe() throws {
    let tokens = { (text: String) in text.utf8.map { Int32($0) + 1 } }
    let task = try task()
    #expect(task.describe(tokens("Schön <br />")) == "Schön <br />")
    #expect(task.describe(tokens("a\u{1B}[2Jb")) == "a\\u{1B}[2Jb")
    #expect(task.describe([0, 98, -5, 300]) == "a")
    #expect(task.describe([256, 255]) == "\u{FFFD}\u{FFFD}")
  }
}
