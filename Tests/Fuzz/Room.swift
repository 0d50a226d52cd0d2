// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Tasks

/// A folder for one reader, with whole files to begin with.
///
///     runs/a  runs/b                 two finished runs, of two seeds
///     runs/runs.jsonl                the first of them, published
///     runs/speed.jsonl, peers.jsonl  measurements
///     alone/FILE/FILE                each of these three by itself
///     measured/                      greenformers.jsonl, ladder.jsonl, turns.jsonl
///     data/                          the data of all tasks
struct Room: Sendable {
  let path: String
  /// The files as they were before any was broken.
  let whole: String

  /// Takes a reader's own copy of the seeds, which is made when absent.
  init(_ seeds: String, of reader: String) throws {
    path = "\(seeds)/rooms/\(reader)"
    whole = "\(seeds)/whole"
    guard !FileManager.default.fileExists(atPath: path) else { return }
    try createFolder("\(seeds)/rooms")
    // With the times of change, which prepared data go by.
    let copy = try Process.run(
      URL(fileURLWithPath: "/bin/cp"), arguments: ["-a", whole, path])
    copy.waitUntilExit()
  }

  /// Where the worker notes how far it is.
  var progress: String { "\(path)/progress" }
  var runs: String { "\(path)/runs" }
  var data: String { "\(path)/data" }

  /// The bytes of a file that is whole.
  func bytes(_ name: String) throws -> [UInt8] { try readFile("\(whole)/\(name)") }

  /// Replaces a file as quickly as can be.
  func write(_ bytes: [UInt8], _ name: String) throws -> String {
    let file = "\(path)/\(name)"
    // Cut behind and not before: some file systems flush what was emptied first.
    let descriptor = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    defer { close(descriptor) }
    guard descriptor >= 0, Foundation.write(descriptor, bytes, bytes.count) == bytes.count,
      ftruncate(descriptor, bytes.count) == 0
    else {
      throw UserError.system(.cannotWrite, "cannot write \(file)")
    }
    return file
  }

  // MARK: Seeds

  /// Memory under the names of files, where the system has it: what the program forces to the disk
  /// would take a hundred times as long as reading it.
  private static var scratch: String {
    let memory = "/dev/shm"
    return access(memory, W_OK | X_OK) == 0 ? memory : FileManager.default.temporaryDirectory.path
  }

  /// Runs `body` with a folder of whole files, which is removed afterwards.
  static func withSeeds(_ body: (String) throws -> Void) throws {
    let path = "\(scratch)/lra-fuzz-\(UUID().uuidString)"
    try createFolder("\(path)/whole/runs")
    defer { try? FileManager.default.removeItem(atPath: path) }
    try SeedFiles("\(path)/whole").write()
    try body(path)
  }

  /// Reads a task's data to the last token.
  static func readAll(_ task: any ArenaTask) throws {
    try task.prepare { _ in }
    var tokens: [Int32] = []
    for split in Split.allCases {
      let examples = try task.examples(split)
      for example in 0..<examples.count {
        tokens.removeAll(keepingCapacity: true)
        for tower in 0..<task.towers {
          _ = try examples.length(example, tower: tower)
          try examples.append(example, tower: tower, to: &tokens)
        }
        precondition(examples.label(example) < task.classes, "a label beyond the classes")
        precondition(
          tokens.allSatisfy { $0 > 0 && $0 < task.vocabulary }, "a token beyond the vocabulary")
      }
    }
    _ = try (task.contentHash(), task.provenance())
  }
}
