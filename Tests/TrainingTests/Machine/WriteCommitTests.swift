// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import WriteCommit

@Suite("The commit of a build")
struct WriteCommitTests {
  @Test("It is the folder's own, marked where files have changed")
  func commit() throws {
    try withTemporaryFolder { folder in
      #expect(WriteCommit.commit(of: folder) == nil)
      try git(folder, "init", "-q")
      #expect(WriteCommit.commit(of: folder) == nil)
      try commit("one", in: folder)
      let first = try #require(WriteCommit.commit(of: folder))
      #expect(first.count >= 40 && first.allSatisfy(\.isHexDigit))
      try "other\n".write(toFile: "\(folder)/file", atomically: true, encoding: .utf8)
      #expect(WriteCommit.commit(of: folder) == "\(first)-dirty")
      try commit("two", in: folder)
      let second = try #require(WriteCommit.commit(of: folder))
      #expect(second != first && !second.hasSuffix("-dirty"))
    }
  }

  @Test("Neither a repository around the folder nor a file that HEAD names gives it")
  func foreign() throws {
    try withTemporaryFolder { folder in
      try git(folder, "init", "-q")
      try commit("one", in: folder)
      try RunFolderTests.makeFolder("\(folder)/unpacked")
      #expect(WriteCommit.commit(of: "\(folder)/unpacked") == nil)
      for head in ["ref: ../../secret\n", "ref: /etc/hostname\n", "secret\n"] {
        try "a secret\n".write(toFile: "\(folder)/secret", atomically: true, encoding: .utf8)
        try head.write(toFile: "\(folder)/.git/HEAD", atomically: true, encoding: .utf8)
        #expect(WriteCommit.commit(of: folder) == nil)
      }
    }
  }

  @Test("The source of the module says it, or that it is not known")
  func source() {
    #expect(WriteCommit.source(commit: "12ab-dirty").hasSuffix("String? = \"12ab-dirty\"\n"))
    #expect(WriteCommit.source(commit: nil).hasSuffix("String? = nil\n"))
  }

  private func commit(_ text: String, in folder: String) throws {
    try "\(text)\n".write(toFile: "\(folder)/file", atomically: true, encoding: .utf8)
    try git(folder, "add", "file")
    try git(
      folder, "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-q", "-m", text)
  }

  private func git(_ folder: String, _ arguments: String...) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["git", "-C", folder] + arguments
    process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("GIT_") }
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
  }
}
