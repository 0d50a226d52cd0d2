// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("lra inspect")
struct InspectTests {
  @Test("Errors of the attention by layer, and accuracy by window")
  func inspection() throws {
    try withScratchFolder { folder in
      let training = TinyTraining(folder: folder)
      #expect(try training.run("run").status == 0)
      let command = "inspect \(folder)/run --data \(folder)/data --count 30 --windows 1,8"
      let shown = try CommandRunner.lra(command)
      #expect(shown.status == 0, "\(shown.errors)")
      #expect(shown.lines.contains { $0.hasPrefix("examples  the first 30 of val") })
      for start in ["start ", "best ", "last ", "1 ", "8 ", "whole "] {
        #expect(shown.lines.contains { $0.hasPrefix(start) }, "\(start)")
      }
      let object = try CommandRunner.lra(command + " --json").object()
      let inspection = try #require(object["inspection"] as? [String: Any])
      let attention = try #require(inspection["attention"] as? [[String: Any]])
      #expect(attention.map { $0["weights"] as? String } == ["start", "best", "last"])
      #expect(attention.allSatisfy { ($0["errors"] as? [Double])?.count == 2 })
      #expect((inspection["locality"] as? [Any])?.count == 6)
      let refused = try CommandRunner.lra("inspect \(folder)/run --windows 0")
      #expect(refused.status == 64)
    }
  }
}
