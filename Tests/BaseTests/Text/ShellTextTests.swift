// SPDX-License-Identifier: Apache-2.0

import Base
import Testing

@Suite struct ShellTextTests {
  @Test(
    "Only what a shell would take apart is quoted",
    arguments: [
      ("runs/listops-linear-s0", "runs/listops-linear-s0"), ("läufe/1", "läufe/1"), ("", "''"),
      ("mein läufe & (1)'s", #"'mein läufe & (1)'\''s'"#), ("~/x", "'~/x'"), ("$(x)", "'$(x)'"),
      ("a\nb", "'a\nb'"),
    ])
  func quoted(text: String, word: String) {
    #expect(shellQuoted(text) == word)
  }
}
