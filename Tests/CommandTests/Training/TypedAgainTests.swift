// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("lra train, typed again")
struct TypedAgainTests {
  /// Runs a command in a folder of its own, where runs get their usual names.
  private func run(_ arguments: String, in folder: String) throws -> CommandResult {
    try CommandRunner.run(
      "/bin/sh", ["-c", "cd \"$0\" && exec \"$1\" \(arguments)", folder, CommandRunner.program])
  }

  @Test("A run that was stopped is told with the command that continues it, and is not begun again")
  func unfinished() throws {
    try withScratchFolder { folder in
      let command =
        "train --task listops --model linear --preset quick --length 60 --batch 4 --threads 1 "
        + "--set task.train-count=40 --set task.val-count=8 --set task.test-count=8"
      // The end of the time limit leaves a run as Ctrl-C does.
      let first = try run("\(command) --steps 20 --output runs/listops-linear-quick-s0", in: folder)
      #expect(first.status == 0, "\(first.errors)")
      let place = "\(folder)/runs/listops-linear-quick-s0"
      // As a process that was killed before its end leaves it.
      try FileManager.default.removeItem(atPath: "\(place)/result.json")
      try "running\n".write(toFile: "\(place)/STATUS", atomically: false, encoding: .utf8)
      let again = try run("\(command) --steps 20", in: folder)
      #expect(again.status == 73)
      #expect(again.errors.contains("has not ended: 20 of 20 steps are done"), "\(again.errors)")
      #expect(again.errors.contains("train --resume runs/listops-linear-quick-s0"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder)/runs").count == 1)
      // Another training of that name is another run.
      let other = try run("\(command) --steps 0", in: folder)
      #expect(other.status == 0 && other.output.contains("runs/listops-linear-quick-s0-2"))
      #expect(try run("train --resume runs/listops-linear-quick-s0", in: folder).status == 0)
      // One that has ended is begun again beside it, as ever.
      let third = try run("\(command) --steps 20", in: folder)
      #expect(third.status == 0 && third.output.contains("runs/listops-linear-quick-s0-3"))
    }
  }
}
