// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Tasks
import Testing

@Suite("Where somebody's files are found")
struct SourceFolderTests {
  private let folder: Scratch

  init() throws { folder = try Scratch() }

  private func writePairs(in place: String) throws {
    for split in ["train", "eval", "test"] {
      _ = try folder.write("1.0\tP\tN\tone\ttwo\n", "\(place)/new_aan_pairs.\(split).tsv")
    }
  }

  private func retrieval() throws -> Retrieval {
    try Retrieval(TaskOptions(dataFolder: folder.path))
  }

  @Test(
    "Pairs: as S4 has them, in the release, or in a folder of another name",
    arguments: ["aan", "lra_release/lra_release/tsv_data", "retrieval/mine/pairs"])
  func pairs(place: String) throws {
    try writePairs(in: place)
    try retrieval().prepare { _ in }
    #expect(try retrieval().sourceFolder() == "\(folder.path)/\(place)")
    var reports: [String] = []
    try retrieval().prepare { reports.append($0) }
    #expect(reports.isEmpty, "the index is kept in the task's folder")
  }

  @Test("Path-X: beside the pictures of other sizes, as S4 has them")
  func pathX() throws {
    let made = try PathX(
      TaskOptions(trainCount: 8, valCount: 1, testCount: 1, dataFolder: "\(folder.path)/made"))
    try made.export(to: "\(folder.path)/s4/pathfinder") { _ in }
    let task = try PathX(TaskOptions(dataFolder: "\(folder.path)/s4"))
    #expect(try task.sourceFolder() == "\(folder.path)/s4/pathfinder/pathfinder128")
    #expect(try task.contentHash() == made.contentHash())
  }

  @Test("The release's inner folder comes first, and of unknown ones there may be only one")
  func order() throws {
    try writePairs(in: "retrieval/b")
    try writePairs(in: "retrieval/a")
    let error = userError { try retrieval().prepare { _ in } }
    #expect(
      error?.problem.hasPrefix("\(folder.path)/retrieval/a and \(folder.path)/retrieval/b all")
        == true)
    for place in ["tsv_data", "lra_release/tsv_data", "lra_release/lra_release/tsv_data"] {
      try writePairs(in: "retrieval/\(place)")
      #expect(try retrieval().sourceFolder() == "\(folder.path)/retrieval/\(place)")
    }
  }

  @Test("Where nothing can be generated, what is there instead is told")
  func missing() throws {
    try folder.write([1], "retrieval/lra_release.gz")
    let error = userError { try retrieval().prepare { _ in } }
    #expect(error?.problem.hasSuffix("retrieval, only lra_release.gz") == true)
  }
}
