// SPDX-License-Identifier: Apache-2.0

import Base
import Tasks
import Testing

/// Examples of a user's own, with nothing in the data folder.
struct GivenExamplesTests {
  private let folder: Scratch

  init() throws { folder = try Scratch() }

  private func task(_ name: String, length: Int? = nil) throws -> any ArenaTask {
    try TaskCatalog.named(name).make(
      TaskOptions(length: length, dataFolder: "\(folder.path)/nothing"))
  }

  private func tokens(_ source: any ExampleSource, _ example: Int, tower: Int = 0) throws -> [Int32]
  {
    var tokens: [Int32] = []
    try source.append(example, tower: tower, to: &tokens)
    return tokens
  }

  @Test("A table of ListOps, with what is cut, and nothing else need be there")
  func listOps() throws {
    let path = try folder.write("Source\tTarget\n[MAX 4 3 ]\t4\n7\t7\n", "my.tsv")
    let given = try task("listops", length: 3).examples(at: path)
    #expect(given.source.count == 2 && given.source.label(1) == 7)
    #expect(given.provenance == "read from \(path), 1 examples cut to 3 tokens")
    let whole = try task("listops").examples(at: path)
    #expect(whole.contentHash != given.contentHash)
    let wrong = try folder.write("Source\tTarget\n[MAX 4 3 ]\t3\n", "wrong.tsv")
    let error = userError { _ = try task("listops").examples(at: wrong) }
    #expect(error?.problem.hasPrefix("\(wrong):2: the label is 3") == true)
  }

  @Test("Texts in a table or in a folder for each class")
  func text() throws {
    let path = try folder.write("label\ttext\npositive\tgood\n0\t bad \n", "my.tsv")
    _ = try folder.write("good\n", "my/pos/any name.txt")
    _ = try folder.write(" bad", "my/neg/1.txt")
    let (table, files) = try (
      task("text").examples(at: path), task("text").examples(at: "\(folder.path)/my")
    )
    #expect(try tokens(table.source, 0) == Array("good".utf8).map { Int32($0) + 1 })
    #expect(
      (0..<2).map(table.source.label) == [1, 0] && (0..<2).map(files.source.label) == [0, 1])
    #expect(try tokens(table.source, 1) == tokens(files.source, 0))
    for (name, problem) in [
      ("my/neutral/1.txt", "my/neutral: this is no folder of a class"),
      ("my/pos/1.md", "my/pos/1.md: this is no .txt file"),
    ] {
      let path = try folder.write("x", name)
      let error = userError { _ = try task("text").examples(at: "\(folder.path)/my") }
      #expect(error?.problem.contains(problem) == true, "\(error?.problem ?? "no error")")
      FileSystem.remove(name.contains("neutral") ? "\(folder.path)/my/neutral" : path)
    }
    let label = try folder.write("label\ttext\nfine\tgood\n", "label.tsv")
    let error = userError { _ = try task("text").examples(at: label) }
    #expect(error?.problem.hasSuffix("the label \"fine\" is none of negative, positive") == true)
  }

  @Test("Pictures in PNG files, in a folder for each class, or in a file of CIFAR-10")
  func image() throws {
    let grey = (0..<1024).map { UInt8($0 % 250) }
    try folder.write(PNG.encode(grey, width: 32), "my/cat/a.png")
    try folder.write([3] + grey + grey + grey, "my.bin")
    let (files, batch) = try (
      task("image").examples(at: "\(folder.path)/my"),
      task("image").examples(at: "\(folder.path)/my.bin")
    )
    #expect(files.source.count == 1 && files.source.label(0) == 3 && batch.source.label(0) == 3)
    #expect(try tokens(files.source, 0) == grey.map { Int32($0) + 1 })
    // Equal parts of red, green and blue give their grey value, up to what 0.9999 and 255.5 round.
    let difference = try zip(tokens(files.source, 0), tokens(batch.source, 0)).map { $0 - $1 }
    #expect(difference.allSatisfy { (-1...1).contains($0) })
    try folder.write(PNG.encode([UInt8](repeating: 0, count: 256), width: 16), "my/dog/b.png")
    let error = userError { _ = try task("image").examples(at: "\(folder.path)/my") }
    #expect(error?.problem.hasSuffix("b.png: the picture has 16 x 16 pixels, not 32 x 32") == true)
  }

  @Test("Pictures of Pathfinder as exported, or in a folder for each class")
  func pathfinder() throws {
    let export = try Pathfinder(
      TaskOptions(trainCount: 2, valCount: 1, testCount: 1, dataFolder: "\(folder.path)/made"))
    try export.export(to: "\(folder.path)/exported") { _ in }
    let level = "\(folder.path)/exported/pathfinder32/curv_contour_length_14"
    let given = try task("pathfinder").examples(at: level)
    #expect(given.source.count == 4)
    try folder.write(readFile("\(level)/imgs/0/sample_0.png"), "my/joined/x.png")
    let sorted = try task("pathfinder").examples(at: "\(folder.path)/my")
    #expect(sorted.source.label(0) == 1)
    #expect(try tokens(sorted.source, 0) == tokens(given.source, 0))
  }

  @Test("Pairs of texts in the original's table; nothing is written beside it")
  func retrieval() throws {
    let path = try folder.write("1.0\tP\tN\tone\ttwo\n0\tP\tM\tthree\tfour\n", "in/my.tsv")
    let given = try task("retrieval").examples(at: path)
    #expect(given.source.count == 2 && given.source.labelCounts == [1, 1])
    #expect(try tokens(given.source, 1, tower: 1) == Array("four".utf8).map { Int32($0) + 1 })
    #expect(try folder.names() == ["in"] && folder.names("/in") == ["my.tsv"])
  }
}
