// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("Broken files")
struct FuzzTests {
  @Test("Every reader takes two thousand broken files or refuses them; make fuzz has more")
  func all() throws {
    let program = URL(fileURLWithPath: CommandRunner.program).deletingLastPathComponent()
      .appendingPathComponent("lra-fuzz").path
    let result = try withScratchFolder { folder in
      try CommandRunner.run(program, ["--count", "2000", "--findings", folder])
    }
    #expect(result.status == 0, "\(result.output)\(result.errors)")
    #expect(result.lines.last == "nothing found")
  }
}
