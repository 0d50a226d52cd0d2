import Base
import Foundation
import Testing

@Suite struct FileTests {
  @Test("An atomic write replaces the file and leaves nothing else")
  func atomicWrite() throws {
    let folder = try Scratch()
    let path = folder.path + "/result"
    try writeAtomically([1, 2, 3] as [UInt8], to: path)
    try writeAtomically(Data([4, 5]), to: path)
    #expect(try readFile(path) == [4, 5])
    #expect(try folder.names() == ["result"])
  }

  @Test("An unfinished file vanishes and keeps the earlier one")
  func unfinishedWrite() throws {
    let folder = try Scratch()
    let path = folder.path + "/result"
    try writeAtomically([1] as [UInt8], to: path)
    do {
      let file = try AtomicFile(path)
      try file.write([9, 9] as [UInt8])
      #expect(try folder.names() == ["result", "result.tmp-\(getpid())"])
    }
    #expect(try folder.names() == ["result"])
    #expect(try readFile(path) == [1])
  }

  @Test("A write into a missing folder names the file")
  func missingFolder() throws {
    let folder = try Scratch()
    let path = folder.path + "/none/result"
    let error = userError { try writeAtomically([1] as [UInt8], to: path) }
    #expect(error?.kind == .cannotWrite)
    #expect(error?.problem == "cannot write \(path): no such file or folder")
  }

  @Test("Reading a missing file or a folder names it")
  func unreadable() throws {
    let folder = try Scratch()
    let missing = userError { _ = try readFile(folder.path + "/none") }
    #expect(missing?.kind == .missingInput)
    #expect(missing?.problem.contains("/none: no such file or folder") == true)
    let directory = userError { _ = try readFile(folder.path) }
    #expect(directory?.problem == "cannot read \(folder.path): it is a folder")
  }

  @Test("A long file is read whole")
  func longFile() throws {
    let folder = try Scratch()
    let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
    try writeAtomically(bytes, to: folder.path + "/long")
    #expect(try readFile(folder.path + "/long") == bytes)
  }

  @Test("A lock keeps others out until it is released")
  func lock() throws {
    let folder = try Scratch()
    let path = folder.path + "/lock"
    var lock: FileLock? = try FileLock(path)
    #expect(lock?.path == path)
    let error = userError { _ = try FileLock(path) }
    #expect(error?.kind == .unavailable)
    #expect(error?.problem.hasPrefix("\(folder.path) is in use by process \(getpid()) on ") == true)
    lock = nil
    _ = try FileLock(path)
  }

  @Test("A waiting lock reports the holder and goes on after it")
  func waitingLock() async throws {
    let folder = try Scratch()
    let path = folder.path + "/lock"
    var lock: FileLock? = try FileLock(path)
    let (reports, send) = AsyncStream<String>.makeStream()
    let waiter = Task.detached {
      _ = try FileLock(waitingFor: path) { send.yield($0) }
      send.finish()
    }
    var iterator = reports.makeAsyncIterator()
    let report = await iterator.next()
    #expect(report?.hasPrefix("waiting for process \(getpid())") == true)
    #expect(lock != nil)
    lock = nil
    try await waiter.value
    #expect(await iterator.next() == nil)
  }
}
