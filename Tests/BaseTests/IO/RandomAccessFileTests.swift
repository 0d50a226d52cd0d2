// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Testing

@Suite struct RandomAccessFileTests {
  private let folder: Scratch

  init() throws { folder = try Scratch() }

  @Test("Any part can be read, at the end fewer bytes")
  func parts() throws {
    let path = "\(folder.path)/bytes"
    let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    try writeAtomically(bytes, to: path)
    let file = try RandomAccessFile(path)
    #expect(file.size == bytes.count)
    for (place, count) in [(0, 10), (99_990, 10), (99_990, 20), (100_000, 5), (7, 0), (0, 200_000)]
    {
      #expect(try file.read(at: place, count: count) == Array(bytes[place...].prefix(count)))
    }
  }

  @Test("It stays the same file when another one gets its name, which is a change")
  func replaced() throws {
    let path = "\(folder.path)/bytes"
    try writeAtomically([1, 2, 3], to: path)
    let file = try RandomAccessFile(path)
    usleep(20_000)
    try writeAtomically([4, 5, 6], to: path)
    #expect(try file.read(at: 0, count: 3) == [1, 2, 3])
    #expect(try RandomAccessFile(path).modified > file.modified)
  }

  @Test("What is no file is refused, and a pipe is not waited for")
  func refused() throws {
    #expect(mkfifo("\(folder.path)/pipe", 0o600) == 0)
    for name in ["", "/pipe", "/none"] {
      let error = #expect(throws: UserError.self) { try RandomAccessFile(folder.path + name) }
      #expect(error?.problem.contains(folder.path + name) == true)
      #expect(error?.kind == (name == "/none" ? .missingInput : .badData))
    }
  }

  @Test("A byte is found where it is first, within the range")
  func places() {
    let bytes: [UInt8] = [7, 0, 9, 7, 9]
    #expect(bytes.firstPlace(of: 7, in: 0..<5) == 0)
    #expect(bytes.firstPlace(of: 7, in: 1..<5) == 3)
    #expect(bytes.firstPlace(of: 9, in: 3..<4) == nil)
    #expect(bytes.firstPlace(of: 9, in: 5..<5) == nil)
    #expect(bytes.firstPlace(of: 0, in: 0..<2) == 1)
    #expect([UInt8]().firstPlace(of: 0, in: 0..<0) == nil)
  }
}
