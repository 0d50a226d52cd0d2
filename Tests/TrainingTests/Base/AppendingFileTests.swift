// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Testing

@Suite("AppendingFile")
struct AppendingFileTests {
  @Test("Pieces are added at the end, also to a file of an earlier run")
  func append() throws {
    try withTemporaryFolder { root in
      let path = "\(root)/log"
      for piece in ["one\n", "two\n"] {
        try AppendingFile(path: path).append(Array(piece.utf8))
      }
      #expect(contents(path) == "one\ntwo\n")
    }
  }

  @Test("A file of lines gets the end of a last line that lacks it, and no other change")
  func lines() throws {
    try withTemporaryFolder { root in
      let path = "\(root)/log"
      for (before, after) in [("", ""), ("one\n", "one\n"), ("one\ntw", "one\ntw\n")] {
        try before.write(toFile: path, atomically: false, encoding: .utf8)
        try AppendingFile(linesAt: path).append(Array("next\n".utf8))
        #expect(contents(path) == after + "next\n")
      }
    }
  }

  @Test("A full disk is named with the file", .enabled(if: exists("/dev/full")))
  func full() {
    let error = userError { try AppendingFile(path: "/dev/full").append([1, 2, 3]) }
    #expect(error?.kind == .cannotWrite)
    #expect(error?.problem.contains("/dev/full: no space left") == true)
    #expect(error?.remedy.contains("free some space") == true)
  }
}
