// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Tasks
import Testing

/// What a task keeps of somebody else's files is used only while these are what they were.
@Suite struct ChangedSourceTests {
  private let folder: Scratch

  init() throws { folder = try Scratch() }

  /// Files of one task as somebody else published them, and a change of one that is not noticed by
  /// its size.
  private struct Source: Sendable {
    let write: @Sendable (Scratch) throws -> Void
    /// A file, and what becomes of one of its bytes.
    let changes: [(file: String, place: @Sendable ([UInt8]) -> Int, to: UInt8?)]
  }

  /// Sources by the task's name, one for every task that reads files of others.
  private static let sources: [String: Source] = [
    "listops": Source(
      write: { folder in
        for name in ["train", "val", "test"] {
          _ = try folder.write(
            "Source\tTarget\r\n( ( ( [MAX 4 ) 3 ) ] )\t4\r\n", "listops/basic_\(name).tsv")
        }
      }, changes: [("listops/basic_val.tsv", { $0.count - 3 }, UInt8(ascii: "3"))]),
    "text": Source(
      write: { folder in
        for part in ["train", "test"] {
          for name in ["neg/0_1.txt", "neg/1_4.txt", "pos/0_7.txt", "pos/1_10.txt"] {
            _ = try folder.write("\(part) \(name)", "text/aclImdb/\(part)/\(name)")
          }
        }
      }, changes: [("text/aclImdb/test/pos/0_7.txt", middle, nil)]),
    "retrieval": Source(
      write: { folder in
        for split in ["train", "eval", "test"] {
          _ = try folder.write(
            "1.0\t1\t2\tone text\tanother text\n0.0\t3\t4\tthird\tfourth\n",
            "retrieval/new_aan_pairs.\(split).tsv")
        }
      },
      changes: [
        ("retrieval/new_aan_pairs.eval.tsv", middle, nil),
        ("retrieval/new_aan_pairs.train.tsv", { _ in 0 }, UInt8(ascii: "0")),
      ]),
    "image": Source(
      write: { folder in
        for name in (1...5).map({ "data_batch_\($0).bin" }) + ["test_batch.bin"] {
          let record = [3] + [UInt8](repeating: 9, count: 3072)
          try folder.write(record + record, "image/cifar-10-batches-bin/\(name)")
        }
      },
      changes: [
        ("image/cifar-10-batches-bin/data_batch_2.bin", middle, 4),
        ("image/cifar-10-batches-bin/test_batch.bin", { _ in 100 }, 255),
      ]),
    "sequences": Source(
      write: { folder in
        for name in ["train", "val", "test"] {
          _ = try folder.write("label\ttokens\n0\t3 1 4\n1\t1 5\n", "\(name).tsv")
        }
      },
      changes: [
        ("test.tsv", { $0.count - 2 }, UInt8(ascii: "3")),
        ("train.tsv", { _ in "label\ttokens\n0\t".utf8.count }, UInt8(ascii: "5")),
      ]),
    "pathfinder": pictures(Pathfinder.self, size: 32), "pathx": pictures(PathX.self, size: 128),
  ]

  private static let middle: @Sendable ([UInt8]) -> Int = { $0.count / 2 }

  private static func pictures(_ task: (some ExportableTask).Type, size: Int) -> Source {
    let level = "\(task.name)/pathfinder\(size)/curv_contour_length_14"
    return Source(
      write: { folder in
        try task.init(
          TaskOptions(
            trainCount: 8, valCount: 1, testCount: 1, dataFolder: "\(folder.path)/drawn")
        ).export(to: "\(folder.path)/\(task.name)") { _ in }
      },
      changes: [
        ("\(level)/imgs/0/sample_3.png", middle, nil),
        // The label of the first picture, which becomes the other one or none.
        ("\(level)/metadata/0.npy", { _ in "imgs/0 sample_0.png 0 ".utf8.count }, nil),
      ])
  }

  @Test("Every task of which there are published figures is among them")
  func complete() {
    for task in TaskCatalog.all where !task.published.isEmpty {
      #expect(Self.sources[task.name] != nil, "what are the files of \(task.name)?")
    }
  }

  @Test(
    "A change that keeps size and time is noticed",
    arguments: sources.keys.sorted())
  func changed(name: String) throws {
    let source = try #require(Self.sources[name], "what are the files of \(name)?")
    for change in source.changes {
      try source.write(folder)
      let first = try content(name)
      #expect(try content(name) == first)
      let file = "\(folder.path)/\(change.file)"
      try edit(file) { bytes in
        let place = change.place(bytes)
        bytes[place] = change.to ?? bytes[place] ^ 1
      }
      do {
        let second = try content(name)
        #expect(second != first, "\(change.file)")
      } catch { #expect(error is UserError, "\(change.file): \(error)") }
      FileSystem.remove("\(folder.path)/\(name)")
    }
  }

  /// All tokens and labels, and their hash, as a process sees them that is started anew.
  private func content(_ name: String) throws -> [[Int32]] {
    let entry = try TaskCatalog.named(name)
    let derived = try entry.derived(folder.path).map { (String($0.key.dropFirst(5)), $0.value) }
    var options = TaskOptions(dataFolder: folder.path)
    options.settings = Dictionary(uniqueKeysWithValues: derived)
    if case .integer(let length)? = options.settings.removeValue(forKey: "length") {
      options.length = length
    }
    let task = try entry.make(options)
    try task.prepare { _ in }
    return try Split.allCases.flatMap { split in
      let examples = try task.examples(split)
      return try (0..<examples.count).map { example in
        var tokens = [Int32(examples.label(example))]
        for tower in 0..<task.towers { try examples.append(example, tower: tower, to: &tokens) }
        return tokens
      }
    }
  }

  /// Changes bytes of a file in place, and sets the time of its last change back.
  private func edit(_ path: String, _ change: (inout [UInt8]) -> Void) throws {
    var before = stat()
    #expect(stat(path, &before) == 0)
    var bytes = try readFile(path)
    change(&bytes)
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.write(contentsOf: bytes)
    try handle.close()
    #expect(utimensat(AT_FDCWD, path, [before.st_atim, before.st_mtim], 0) == 0)
    var after = stat()
    #expect(stat(path, &after) == 0 && after.st_size == before.st_size)
    #expect(after.st_mtim.tv_nsec == before.st_mtim.tv_nsec && after.st_ino == before.st_ino)
  }
}
