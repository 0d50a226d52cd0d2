// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Tasks
import Testing

/// How `Retrieval` meets files that are changed, wrong or missing.
@Suite struct RetrievalFilesTests {
  private let folder: Scratch
  private let line = "1.0\tP\tN\tone\ttwo\n"

  init() throws {
    folder = try Scratch()
    for split in ["train", "eval", "test"] { try write(Array(line.utf8), split) }
  }

  private var root: String { "\(folder.path)/retrieval" }

  private func path(_ split: String) -> String { "\(root)/new_aan_pairs.\(split).tsv" }

  private func write(_ bytes: [UInt8], _ split: String) throws {
    try folder.write(bytes, "retrieval/new_aan_pairs.\(split).tsv")
  }

  /// The task's content, and what it reported.
  private func read() throws -> (hash: String, reports: [String]) {
    var reports: [String] = []
    let task = try Retrieval(TaskOptions(dataFolder: folder.path))
    try task.prepare { reports.append($0) }
    return (try task.contentHash(), reports)
  }

  @Test("A file is read once, and again when it has changed")
  func kept() throws {
    let first = try read()
    #expect(first.reports == ["train", "eval", "test"].map { "reading \(path($0)), 1 MiB" })
    let second = try read()
    #expect(second.reports.isEmpty && second.hash == first.hash)
    usleep(20_000)
    try write(Array(line.replacing("two", with: "ten").utf8), "eval")
    let changed = try read()
    #expect(changed.hash != first.hash)
    #expect(
      changed.reports == [
        "\(root)/index-val.safetensors.gz: the index belongs to another file; "
          + "reading \(path("eval")) again", "reading \(path("eval")), 1 MiB",
      ])
    #expect(try read().reports.isEmpty)
  }

  @Test(
    "What was changed under an index that cannot tell is noticed when it is read",
    arguments: [("1.0", "0.0", 0), ("one", "two", 0), ("second", "changed", 1)])
  func changedUnder(old: String, new: String, side: Int) throws {
    // In the middle of a long file, with the size and the time that it had.
    let lines = (0..<2000).map { "0.0\tP\tN\tpaper \($0)\tpaper\n" }
    let text = lines[..<1000].joined() + "1.0\tP\tN\tone\tsecond\n" + lines[1000...].joined()
    try write(Array(text.utf8), "train")
    let hash = try read().hash
    var before = stat()
    #expect(stat(path("train"), &before) == 0)
    let name = new.count == old.count ? new : String(new.prefix(old.count))
    let changed = text.replacing(
      "1.0\tP\tN\tone\tsecond", with: "1.0\tP\tN\tone\tsecond".replacing(old, with: name))
    #expect(changed != text && changed.utf8.count == text.utf8.count)
    try write(Array(changed.utf8), "train")
    #expect(utimensat(AT_FDCWD, path("train"), [before.st_atim, before.st_mtim], 0) == 0)
    let task = try Retrieval(TaskOptions(dataFolder: folder.path))
    var reports: [String] = []
    try task.prepare { reports.append($0) }
    #expect(reports.isEmpty)
    #expect(try task.contentHash() == hash)
    var tokens: [Int32] = []
    let error = userError {
      try task.examples(.train).append(1000, tower: side, to: &tokens)
    }
    #expect(error?.problem.hasPrefix("\(path("train")):1001: the line is not what it was") == true)
  }

  @Test(
    "A damaged index is made anew", arguments: ["cut", "foreign", "impossible", "folder"])
  func damaged(kind: String) throws {
    let first = try read()
    let path = "\(root)/index-train.safetensors.gz"
    switch kind {
    case "cut": try writeAtomically(readFile(path).dropLast(9), to: path)
    case "foreign": try writeAtomically(Gzip.compress(SafeTensors().serialized()), to: path)
    case "impossible":
      let kept = try SafeTensors(Gzip.read(path), name: path)
      var wrong = SafeTensors()
      wrong.metadata = kept.metadata
      wrong.add("labels", shape: [1], try kept.bytes("labels"))
      wrong.add("starts", shape: [1, 2], [1 << 40, 10] as [Int64])
      wrong.add("lengths", shape: [1, 2], [3, 3] as [Int32])
      wrong.add("hashes", shape: [1], try kept.unsigned("hashes"))
      try writeAtomically(Gzip.compress(wrong.serialized()), to: path)
    default:
      try FileManager.default.removeItem(atPath: path)
      try createFolder(path)
    }
    let again = try read()
    #expect(again.hash == first.hash)
    #expect(again.reports.first?.hasSuffix("; reading \(self.path("train")) again") == true)
    // A folder of that name cannot be replaced; that is told, and does not matter.
    #expect(try read().reports.isEmpty == (kind != "folder"))
  }

  @Test("Missing files are named, with the command that fetches them")
  func missing() throws {
    try FileManager.default.removeItem(atPath: path("eval"))
    let part = userError { _ = try read() }
    #expect(part?.problem == "\(root): new_aan_pairs.eval.tsv not found")
    #expect(part?.kind == .missingInput)
    try FileManager.default.removeItem(atPath: root)
    let whole = userError { _ = try read() }
    #expect(whole?.problem == "there is no new_aan_pairs.train.tsv in \(root)")
    #expect(whole?.remedy.contains("make data TASK=retrieval") == true)
  }

  @Test(
    "Wrong lines are named",
    arguments: [
      ("1.0\tP\tN\tone\n", "the line has 4 fields"),
      ("1.0\tP\tN\tone\ttwo\tthree\n", "the line has 6 fields"),
      ("2.0\tP\tN\tone\ttwo\n", "the label is \"2.0\", neither 0 nor 1"),
      ("label\tid1\tid2\ttext1\ttext2\n", "the label is \"label\", neither 0 nor 1"),
      ("1.0\tP\tN\t\ttwo\n", "text1 is empty"), ("1.0\tP\tN\tone\t\n", "text2 is empty"),
      ("1.0\tP\tN\tone\t\r\n", "text2 is empty"), ("\n", "the line is empty"),
      ("1.0,P,N,one,two\n", "the line has no tab"),
      ("1.0\tP\tN\tone\ttwo\r0.0\tP\tN\tone\ttwo\r", "the line has 13 fields"),
    ])
  func wrong(text: String, problem: String) throws {
    try write(Array((line + line + text + line).utf8), "eval")
    let error = userError { _ = try read() }
    #expect(error?.problem.hasPrefix("\(path("eval")):3: \(problem)") == true, "\(error as Any)")
    #expect(error?.kind == .badData)
    #expect(error?.remedy.isEmpty == false)
  }

  @Test("An empty file is named, one that ends without a line feed is read")
  func ends() throws {
    let whole = try read().hash
    try write(Array(line.dropLast().utf8), "eval")
    #expect(try read().hash == whole)
    try write(Array((line.dropLast() + "\r\n").utf8), "eval")
    #expect(try read().hash == whole)
    try write([], "eval")
    #expect(userError { _ = try read() }?.problem == "\(path("eval")): the file is empty")
  }

  @Test("A line of 50 MB is refused, one of 2 MB is read")
  func longLines() throws {
    let long = Array("1.0\tP\tN\tone\t".utf8)
    try write(long + [UInt8](repeating: 65, count: 2_000_000) + Array("\n\(line)".utf8), "eval")
    _ = try read()
    try write(
      Array(line.utf8) + long + [UInt8](repeating: 65, count: 50_000_000) + Array("\n\(line)".utf8),
      "eval")
    let error = userError { _ = try read() }
    #expect(error?.problem == "\(path("eval")):2: the line is longer than 16 MiB")
  }

  @Test("Files and folders may be links to elsewhere")
  func links() throws {
    let files = FileManager.default
    let hash = try read().hash
    try files.moveItem(atPath: path("eval"), toPath: "\(root)/elsewhere")
    try files.createSymbolicLink(atPath: path("eval"), withDestinationPath: "elsewhere")
    #expect(try read().hash == hash)
    try files.moveItem(atPath: "\(root)/elsewhere", toPath: "\(folder.path)/outside")
    try files.removeItem(atPath: path("eval"))
    try files.createSymbolicLink(
      atPath: path("eval"), withDestinationPath: "\(folder.path)/outside")
    #expect(try read().hash == hash)
    try files.removeItem(atPath: path("eval"))
    try files.moveItem(atPath: "\(folder.path)/outside", toPath: path("eval"))
    try files.moveItem(atPath: root, toPath: "\(folder.path)/moved")
    try createFolder(root)
    try files.createSymbolicLink(
      atPath: "\(root)/tsv_data", withDestinationPath: "\(folder.path)/moved")
    #expect(try read().hash == hash)
  }

  @Test("What must not be read is named", .enabled(if: geteuid() != 0), arguments: ["eval", ""])
  func forbidden(split: String) throws {
    let path = split.isEmpty ? root : path(split)
    chmod(path, 0)
    defer { chmod(path, 0o755) }
    let error = userError { _ = try read() }
    #expect(error?.problem.contains("\(path): permission denied") == true)
    #expect(error?.kind == .missingInput)
  }

  @Test("Pairs by names: missing, empty and foreign papers are named")
  func papers() throws {
    try FileManager.default.removeItem(atPath: root)
    for split in ["train", "eval", "test"] {
      _ = try folder.write("1.0\tA\tB\n0.0\tA\tA\n", "retrieval/id_pairs.\(split).tsv")
    }
    let none = userError { _ = try read() }
    #expect(none?.problem == "\(root): papers_text not found")
    _ = try folder.write("a", "retrieval/papers_text/A.txt")
    let missing = userError { _ = try read() }
    #expect(missing?.problem == "\(root)/id_pairs.train.tsv:1: there is no papers_text/B.txt")
    _ = try folder.write("", "retrieval/papers_text/B.txt")
    let empty = userError { _ = try read() }
    #expect(empty?.problem == "\(root)/papers_text/B.txt: the paper is empty")
    let blob = try folder.write("b", "blob")
    try FileManager.default.removeItem(atPath: "\(root)/papers_text/B.txt")
    try FileManager.default.createSymbolicLink(
      atPath: "\(root)/papers_text/B.txt", withDestinationPath: blob)
    _ = try read()
    for (line, problem) in [
      ("1.0\t../../secret\tA", "there is no papers_text/../../secret.txt"),
      ("1.0\tA", "the line has 2 fields"), ("3\tA\tA", "the label is \"3\", neither 0 nor 1"),
    ] {
      _ = try folder.write("1.0\tA\tA\n\(line)\n", "retrieval/id_pairs.train.tsv")
      let error = userError { _ = try read() }
      #expect(error?.problem.hasPrefix("\(root)/id_pairs.train.tsv:2: \(problem)") == true)
    }
  }
}
