// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Tasks
import Testing

@Suite struct PictureDrawingTests {
  private let folder: Scratch

  init() throws { folder = try Scratch() }

  private func drawing(_ name: String) throws -> PictureDrawing {
    try createFolder("\(folder.path)/\(name)")
    return PictureDrawing(
      PathfinderGenerator(PathfinderShape(size: 32, level: .easy), seed: 3), 40..<1600,
      name: "train", path: "\(folder.path)/\(name)/train-0123.safetensors.gz",
      metadata: ["task": "pathfinder", "seed": "3"])
  }

  /// Draws until `parts` more parts of 250 pictures are there.
  private func draw(_ name: String, parts: Int = .max) throws -> PackedExamples {
    var left = parts
    return try drawing(name).run(report: { _ in }) {
      left -= 1
      if left == 0 { throw UserError(.stoppedEarly, "stopped", remedy: "") }
    }
  }

  @Test("A drawing that was ended goes on where it stopped, to the bytes of one in one go")
  func ended() throws {
    let whole = try draw("whole")
    let expected = try readFile("\(folder.path)/whole/train-0123.safetensors.gz")
    for parts in [1, 2] {
      #expect(userError { _ = try draw("ended", parts: parts) }?.kind == .stoppedEarly)
    }
    #expect(
      try folder.names("/ended") == [
        "train-0123-part-0-250.safetensors.gz", "train-0123-part-250-750.safetensors.gz",
      ])
    var reports: [String] = []
    let drawn = try drawing("ended").run { reports.append($0) }
    #expect(reports[0].hasSuffix(", of which 750 are kept from before"))
    #expect(drawn == whole)
    #expect(try folder.names("/ended") == ["train-0123.safetensors.gz"])
    #expect(try readFile("\(folder.path)/ended/train-0123.safetensors.gz") == expected)
  }

  @Test("Parts that are damaged, of another drawing, or without those before them are drawn again")
  func unusable() throws {
    let whole = try draw("whole")
    _ = userError { _ = try draw("ended", parts: 1) }
    _ = userError { _ = try draw("ended", parts: 2) }
    let part = "\(folder.path)/ended/train-0123-part-0-250.safetensors.gz"
    let bytes = try readFile(part)
    for other in [
      Array(bytes.dropLast(9)), try readFile("\(folder.path)/whole/train-0123.safetensors.gz"),
    ] {
      try writeAtomically(other, to: part)
      var reports: [String] = []
      #expect(
        userError {
          _ = try drawing("ended").run(report: { reports.append($0) }) {
            throw UserError(.stoppedEarly, "stopped", remedy: "")
          }
        } != nil)
      #expect(reports.first?.hasSuffix("; generating them again") == true)
    }
    // The first part was drawn anew when the other was stopped.
    #expect(try draw("ended") == whole)
  }
}
