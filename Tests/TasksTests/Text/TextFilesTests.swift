// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Tasks
import Testing

/// How `Text` meets files that are changed, wrong or missing.
@Suite struct TextFilesTests {
  private let folder: Scratch

  init() throws {
    folder = try Scratch()
    for part in ["train", "test"] {
      for name in ["neg/0_1.txt", "neg/1_4.txt", "pos/0_7.txt", "pos/1_10.txt"] {
        try write(Array("\(part) \(name)".utf8), "\(part)/\(name)")
      }
    }
  }

  private var root: String { "\(folder.path)/text/aclImdb" }

  private func write(_ bytes: [UInt8], _ name: String) throws {
    try folder.write(bytes, "text/aclImdb/\(name)")
  }

  /// The task's content, and what it reported.
  private func read(length: Int? = nil) throws -> (hash: String, reports: [String]) {
    var reports: [String] = []
    let task = try Text(TaskOptions(length: length, dataFolder: folder.path))
    try task.prepare { reports.append($0) }
    return (try task.contentHash(), reports)
  }

  @Test("Reviews are read from their files each time, and nothing is written")
  func prepared() throws {
    let first = try read()
    #expect(
      first.reports
        == ["reading 4 reviews of \(root)/train", "reading 4 reviews of \(root)/test"])
    #expect(try read().hash == first.hash)
    #expect(try folder.names("/text") == ["aclImdb"])
    try write([1, 2, 3], "test/neg/0_1.txt")
    #expect(try read().hash != first.hash)
  }

  @Test("Missing folders are named, with the command that fetches them")
  func missing() throws {
    try FileManager.default.removeItem(atPath: "\(root)/test/pos")
    let part = userError { _ = try read() }
    #expect(part?.problem == "\(root): test/pos not found")
    #expect(part?.kind == .missingInput)
    try FileManager.default.removeItem(atPath: "\(folder.path)/text")
    let whole = userError { _ = try read() }
    #expect(whole?.problem == "there is no folder aclImdb in \(folder.path)/text")
    #expect(whole?.remedy.contains("make data TASK=text") == true)
  }

  @Test(
    "Wrong files are named",
    arguments: [
      ("neg/5_2.txt", "", "the review is empty"), ("pos/5_9.txt", " \n\t", "the review is empty"),
      ("neg/5.txt", "a", "the name is not <id>_<stars>.txt"),
      ("neg/5_.txt", "a", "the name is not <id>_<stars>.txt"),
      ("neg/_2.txt", "a", "the name is not <id>_<stars>.txt"),
      ("neg/05_2.txt", "a", "the name is not <id>_<stars>.txt"),
      ("neg/5_2_2.txt", "a", "the name is not <id>_<stars>.txt"),
      ("neg/5_2.text", "a", "the name is not <id>_<stars>.txt"),
      ("neg/99999999999999999999_2.txt", "a", "the name is not <id>_<stars>.txt"),
      ("neg/5_7.txt", "a", "the name says 7 stars, but this folder is for 1 to 4"),
      ("pos/5_11.txt", "a", "the name says 11 stars, but this folder is for 7 to 10"),
      ("neg/5_2.txt/inner", "a", "this is not a file"),
    ])
  func wrong(name: String, text: String, problem: String) throws {
    try write(Array(text.utf8), "train/\(name)")
    let file = name.hasSuffix("/inner") ? String(name.dropLast(6)) : name
    let error = userError { _ = try read() }
    #expect(error?.problem == "\(root)/train/\(file): \(problem)")
    #expect(error?.kind == .badData)
    #expect(error?.remedy.isEmpty == false)
  }

  @Test("A folder without reviews is named")
  func noReviews() throws {
    for name in ["0_7.txt", "1_10.txt"] {
      try FileManager.default.removeItem(atPath: "\(root)/train/pos/\(name)")
    }
    let error = userError { _ = try read() }
    #expect(error?.problem == "\(root)/train/pos: there are no reviews in the folder")
  }

  @Test("A file far too large is refused before it is read, one of 1 MiB is read")
  func large() throws {
    try write([UInt8](repeating: 65, count: 1 << 20), "train/neg/5_2.txt")
    _ = try read()
    try write([65], "train/neg/5_2.txt")
    #expect(truncate("\(root)/train/neg/5_2.txt", 50 << 20) == 0)
    let error = userError { _ = try read() }
    #expect(error?.problem.hasPrefix("\(root)/train/neg/5_2.txt: 52428800 bytes are too") == true)
  }

  @Test("Links may lead anywhere, but not to nothing")
  func links() throws {
    let files = FileManager.default
    let link = "\(root)/train/neg/7_2.txt"
    try files.createSymbolicLink(atPath: link, withDestinationPath: "../pos/0_7.txt")
    _ = try read()
    let outside = try folder.write("secret", "outside.txt")
    try files.removeItem(atPath: link)
    try files.createSymbolicLink(atPath: link, withDestinationPath: outside)
    _ = try read()
    try files.removeItem(atPath: link)
    try files.createSymbolicLink(atPath: link, withDestinationPath: "nowhere")
    #expect(userError { _ = try read() }?.problem.contains("cannot read \(link)") == true)
    try files.removeItem(atPath: link)
    try files.moveItem(atPath: "\(root)/test", toPath: "\(folder.path)/moved")
    try files.createSymbolicLink(
      atPath: "\(root)/test", withDestinationPath: "\(folder.path)/moved")
    _ = try read()
  }

  @Test(
    "What must not be read is named", .enabled(if: geteuid() != 0),
    arguments: ["train/neg/0_1.txt", "train/neg", ""])
  func forbidden(name: String) throws {
    let path = name.isEmpty ? root : "\(root)/\(name)"
    chmod(path, 0)
    defer { chmod(path, 0o755) }
    let error = userError { _ = try read() }
    #expect(error?.problem.contains("\(path): permission denied") == true)
    #expect(error?.kind == .missingInput)
  }

  @Test("Changed names and contents end in data or in an error, never in a crash")
  func fuzz() throws {
    var random = RandomStream(seed: 1, stream: fnv1a("reviews"))
    var readable = 0
    for _ in 0..<300 {
      // Bytes that no UTF-8 has may be in a name, but neither NUL nor a slash.
      let name = mutated(Array("12_3.txt".utf8), &random).filter { $0 != 0 && $0 != 0x2F }
      let path = Array("\(root)/train/neg/".utf8) + name
      let descriptor = withPath(path) { open($0, O_CREAT | O_WRONLY, 0o600) }
      guard descriptor >= 0 else { continue }
      let text = mutated(Array(" b\u{FC}<br />\r\n\0".utf8), &random)
      _ = text.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      close(descriptor)
      var examples = PackedExamples(classes: 2, shift: 1)
      do {
        try ReviewFolder("\(root)/train/neg", stars: 1...4)
          .read(into: &examples, length: 100, label: 0)
        readable += 1
      } catch { #expect(error is UserError) }
      #expect(withPath(path) { unlink($0) } == 0)
    }
    #expect(readable > 30 && readable < 270)
  }

  private func withPath(_ bytes: [UInt8], _ body: (UnsafePointer<CChar>) -> Int32) -> Int32 {
    (bytes + [0]).map(CChar.init(bitPattern:)).withUnsafeBufferPointer { body($0.baseAddress!) }
  }
}

/// The whole data set, where it is there.
@Suite struct GenuineReviewsTests {
  @Test(
    "All 50,000 labelled reviews are read, with the stars that they should have",
    .enabled(if: hasGenuineData("text/aclImdb")))
  func reviews() throws {
    let task = try Text(TaskOptions(dataFolder: genuineData))
    #expect(try Split.allCases.map { try task.examples($0).count } == [22_500, 2500, 25_000])
    #expect(try task.examples(.test).labelCounts == [12_500, 12_500])
    let expected = [
      "train": [1: 5100, 2: 2284, 3: 2420, 4: 2696, 7: 2496, 8: 3009, 9: 2263, 10: 4732],
      "test": [1: 5022, 2: 2302, 3: 2541, 4: 2635, 7: 2307, 8: 2850, 9: 2344, 10: 4999],
    ]
    let root = "\(genuineData)/text/aclImdb"
    for (part, counts) in expected {
      let reviews = try [("neg", 1...4), ("pos", 7...10)].flatMap { name, stars in
        try ReviewFolder("\(root)/\(part)/\(name)", stars: stars).reviews
      }
      #expect(Dictionary(grouping: reviews, by: \.stars).mapValues(\.count) == counts)
    }
  }
}
