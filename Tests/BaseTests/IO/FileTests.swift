// SPDX-License-Identifier: Apache-2.0

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

  /// A file system without locks, as NFS or a container may be.
  private func noLocks(_ reason: Int32) -> FileLock.SystemLock {
    { _, _ in
      errno = reason
      return -1
    }
  }

  @Test(
    "Where the file system has no locks, a marker keeps others out, and the lock says so",
    arguments: [ENOLCK, ENOTSUP, ENOSYS])
  func marker(reason: Int32) throws {
    let folder = try Scratch()
    let path = folder.path + "/lock"
    var lock: FileLock? = try FileLock(path, by: noLocks(reason))
    #expect(lock?.message?.contains("\(path).held") == true)
    let error = userError { _ = try FileLock(path, by: noLocks(reason)) }
    #expect(error?.kind == .unavailable)
    #expect(error?.problem.hasPrefix("\(folder.path) is in use by process \(getpid()) on ") == true)
    #expect(error?.remedy.contains("remove \(path).held") == true)
    lock = nil
    lock = try FileLock(path, by: noLocks(reason))
    #expect(lock != nil)
  }

  @Test("A marker is taken over from a process of this machine that has ended, not from another's")
  func abandonedMarker() throws {
    let folder = try Scratch()
    let path = folder.path + "/lock"
    let host = ProcessInfo.processInfo.hostName
    symlink("process \(getpid()) on \(host), started 12", "\(path).held")
    let lock = try FileLock(path, by: noLocks(ENOLCK))
    withExtendedLifetime(lock) {}
    symlink("process \(getpid()) on elsewhere-\(host), started 12", "\(path).held")
    #expect(userError { _ = try FileLock(path, by: noLocks(ENOLCK)) }?.kind == .unavailable)
  }

  @Test("Another failure of a lock is told as it is")
  func lockFailure() throws {
    let path = try Scratch().path + "/lock"
    let error = userError { _ = try FileLock(path, by: noLocks(EIO)) }
    #expect(error?.problem.contains("cannot lock") == true)
    #expect(error?.problem.contains("in use") == false)
  }

  @Test("A lock file that may only be read is locked all the same")
  func foreignLock() throws {
    let folder = try Scratch()
    let path = folder.path + "/lock"
    try writeAtomically([UInt8](), to: path)
    chmod(path, 0o444)
    let lock = try FileLock(path)
    #expect(lock.message == nil)
    #expect(FileLock.isHeld(path))
    withExtendedLifetime(lock) {}
  }

  @Test("What a killed writer left is removed by the next, what a living one writes is not")
  func abandonedFiles() throws {
    let folder = try Scratch()
    let path = folder.path + "/file"
    for name in ["file.tmp-7", "file.tmp-8", "other.tmp-7", "file.tmp-x"] {
      try Data("half".utf8).write(to: URL(fileURLWithPath: "\(folder.path)/\(name)"))
    }
    let writer = AbandonedFiles.create("\(path).tmp-8", mode: 0o644)
    try writeAtomically([1], to: path)
    let names = { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }
    #expect(try names() == ["file", "file.tmp-8", "file.tmp-x", "other.tmp-7"])
    close(writer)
    try writeAtomically([2], to: path)
    #expect(try names() == ["file", "file.tmp-x", "other.tmp-7"])
  }

  @Test("A file that is being opened is not taken for one that was abandoned")
  func opening() async throws {
    let folder = try Scratch()
    let names = (0..<2000).map { "\(folder.path)/\($0).out" }
    // Another program cleans the folder up all the time.
    let cleaning = Task.detached {
      while !Task.isCancelled {
        AbandonedFiles.remove(in: folder.path) { $0.hasSuffix(".out") }
      }
    }
    for name in names {
      let file = AbandonedFiles.create(name, mode: 0o644)
      #expect(file >= 0 && access(name, F_OK) == 0, "\(name)")
      unlink(name)
      close(file)
    }
    cleaning.cancel()
    await cleaning.value
  }
}
