// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Testing

@Suite("Files that the user names")
struct OutputFileTests {
  private func text(_ path: String) throws -> String {
    String(decoding: try readFile(path), as: UTF8.self)
  }

  private func kind(_ path: String) -> mode_t {
    var information = stat()
    return lstat(path, &information) == 0 ? information.st_mode & S_IFMT : 0
  }

  @Test("A plain file is replaced and keeps its mode")
  func plain() throws {
    try withScratchFolder { root in
      let path = "\(root)/file"
      try writeOutput(Array("one".utf8), to: path)
      #expect(try text(path) == "one")
      chmod(path, 0o640)
      try writeOutput(Array("two".utf8), to: path)
      var information = stat()
      #expect(try text(path) == "two" && stat(path, &information) == 0)
      #expect(information.st_mode & 0o7777 == 0o640)
      #expect(try FileManager.default.contentsOfDirectory(atPath: root) == ["file"])
    }
  }

  @Test("A link stays, and the file that it leads to is written, there or not yet there")
  func links() throws {
    try withScratchFolder { root in
      try createFolder("\(root)/deep")
      symlink("deep/second", "\(root)/first")
      symlink("target", "\(root)/deep/second")
      for word in ["new", "old"] {
        try writeOutput(Array(word.utf8), to: "\(root)/first")
        #expect(try text("\(root)/deep/target") == word)
        #expect(kind("\(root)/first") == S_IFLNK && kind("\(root)/deep/second") == S_IFLNK)
      }
      symlink("b", "\(root)/a")
      symlink("a", "\(root)/b")
      #expect(userError { try writeOutput([1], to: "\(root)/a") }?.kind == .cannotWrite)
    }
  }

  @Test("A pipe and a device are written into")
  func others() throws {
    try withScratchFolder { root in
      let pipe = "\(root)/pipe"
      #expect(mkfifo(pipe, 0o600) == 0)
      let reader = open(pipe, O_RDONLY | O_NONBLOCK)
      defer { close(reader) }
      try writeOutput(Array("through".utf8), to: pipe)
      #expect(try readBlock(reader, atMost: 7, pipe) == Array("through".utf8))
      #expect(kind(pipe) == S_IFIFO)
      symlink("/dev/null", "\(root)/nothing")
      try writeOutput([1], to: "\(root)/nothing")
      #expect(kind("/dev/null") == S_IFCHR && kind("\(root)/nothing") == S_IFLNK)
      #expect(userError { try writeOutput([1], to: "/dev/full") }?.kind == .cannotWrite)
      #expect(userError { try writeOutput([1], to: root) }?.kind == .cannotWrite)
    }
  }

  @Test("Files of the program's own are replaced and never followed")
  func own() throws {
    try withScratchFolder { root in
      try writeAtomically(Array("foreign".utf8), to: "\(root)/foreign")
      for name in ["own", "lock"] { symlink("foreign", "\(root)/\(name)") }
      try writeAtomically(Array("ours".utf8), to: "\(root)/own")
      #expect(userError { _ = try FileLock("\(root)/lock") }?.kind == .cannotWrite)
      #expect(try text("\(root)/foreign") == "foreign" && text("\(root)/own") == "ours")
    }
  }

  @Test(
    "The parent and the last name of a path",
    arguments: [
      ("p", ".", "p"), ("a/b", "a", "b"), ("/a", "/", "a"), ("/", "/", "/"), (".", ".", "."),
      ("a//b//", "a", "b"), ("//a", "/", "a"), ("", ".", ""), ("ä", ".", "ä"), ("./x", ".", "x"),
    ])
  func names(path: String, parent: String, last: String) {
    #expect(parentFolder(of: path) == parent)
    #expect(lastName(of: path) == last)
  }
}
