// SPDX-License-Identifier: Apache-2.0

import Foundation

/// An advisory lock on a file: one process at a time works in a folder.
///
/// The lock goes with the process, also when it is killed. The file stays behind and tells who
/// held it last; removing it would let two processes lock two different files of the same name.
///
/// Where the file system has no locks (some network file systems, some containers), or the file
/// belongs to a user who lets nobody read it, a link beside it takes its place.
package final class FileLock: Sendable {
  /// The locked file.
  package let path: String
  /// What to tell the user, if it is no lock of the file system.
  package let message: String?
  private let hold: Hold

  /// The system's `flock`, or one that stands for it in tests.
  package typealias SystemLock = (_ descriptor: Int32, _ operation: Int32) -> Int32

  private enum Hold: Sendable {
    case file(Int32)
    case marker(LockMarker)
  }

  /// Locks the file at once or fails.
  ///
  /// - Throws: `UserError` of kind `unavailable` that names the holder, or `cannotWrite`.
  package convenience init(_ path: String) throws { try self.init(path, by: flock) }

  /// Locks the file, waiting for another holder to finish.
  ///
  /// - Parameter report: told who holds the lock, before the wait begins.
  /// - Throws: `UserError` of kind `cannotWrite`, `unavailable` when it cannot be locked, or
  ///   `stoppedEarly` soon after a signal has asked to stop.
  package convenience init(waitingFor path: String, report: (String) -> Void) throws {
    try self.init(path, by: flock, waits: true, report: report)
  }

  /// - Parameter waits: whether to wait for another process that holds the lock, or to fail at once.
  package init(
    _ path: String, by lock: SystemLock, waits: Bool = false, report: (String) -> Void = { _ in }
  ) throws {
    self.path = path
    var taken = try FileLock.take(path, lock, waits: false)
    if taken == nil, waits {
      report("waiting for \(FileLock.holder(path)), which holds \(path)")
      taken = try FileLock.take(path, lock, waits: true)
    }
    guard let taken else { throw FileLock.refusal(path) }
    hold = taken
    switch hold {
    case .file(let descriptor):
      message = nil
      // The note only helps people; a full disk must not stop the run here.
      let note = "process \(getpid()) on \(ProcessInfo.processInfo.hostName)"
      _ = ftruncate(descriptor, 0) == 0 && pwrite(descriptor, note, note.utf8.count, 0) > 0
    case .marker(let marker):
      message =
        "\(path) cannot be locked here; the link \(marker.path) keeps other processes away instead, "
        + "and has to be removed by hand if this one dies and another machine is to go on"
    }
  }

  deinit { if case .file(let descriptor) = hold { close(descriptor) } }

  /// Whether a process holds the lock at this moment; the file is neither made nor changed.
  package static func isHeld(_ path: String) -> Bool {
    let descriptor = Foundation.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return LockMarker.holder(lock: path) != nil }
    defer { close(descriptor) }
    // A shared lock is refused while somebody has the exclusive one.
    if flock(descriptor, LOCK_SH | LOCK_NB) == 0 { return false }
    return errno == EWOULDBLOCK || LockMarker.holder(lock: path) != nil
  }

  /// - Returns: nil when another process holds the lock.
  private static func take(
    _ path: String, _ lock: SystemLock, waits: Bool
  ) throws -> Hold? {
    guard let descriptor = try open(path) else { return try mark(path, waits: waits) }
    let failure: Int32
    do { failure = try locked(descriptor, lock, waits: waits) } catch {
      close(descriptor)
      throw error
    }
    if failure == 0 { return .file(descriptor) }
    close(descriptor)
    switch failure {
    case EWOULDBLOCK: return nil
    // What file systems without locks say; EBADF, one that locks only what may be written.
    case ENOLCK, ENOTSUP, ENOSYS, EINVAL, EBADF: return try mark(path, waits: waits)
    default:
      errno = failure
      throw UserError.system(.unavailable, "cannot lock \(path)")
    }
  }

  private static func mark(_ path: String, waits: Bool) throws -> Hold? {
    repeat {
      if let marker = try LockMarker.make(lock: path) { return .marker(marker) }
      if waits {
        usleep(500_000)
        try Interrupts.check()
      }
    } while waits
    return nil
  }

  /// - Returns: nil for a file of another user that may not even be read.
  private static func open(_ path: String) throws -> Int32? {
    // The file of another user can be locked without being written.
    for access in [O_RDWR | O_CREAT, O_RDONLY] {
      let descriptor = Foundation.open(path, access | O_NOFOLLOW | O_CLOEXEC, 0o666)
      if descriptor >= 0 { return descriptor }
    }
    if errno == EACCES, FileManager.default.fileExists(atPath: path) { return nil }
    throw UserError.system(.cannotWrite, "cannot lock \(path)")
  }

  /// A lock that is held is tried again for a fifth of a second.
  ///
  /// A program that is just being started shares its parent's locks until it runs. Whoever waits longer
  /// asks again and again, since a signal that asks to stop would not end the system's own wait.
  ///
  /// - Returns: the system's error, 0 for none.
  /// - Throws: `UserError(.stoppedEarly)`.
  private static func locked(
    _ descriptor: Int32, _ lock: SystemLock, waits: Bool
  ) throws -> Int32 {
    var attempts = 0
    while lock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      let reason = errno
      if reason == EINTR { continue }
      guard reason == EWOULDBLOCK, waits || attempts < 20 else { return reason }
      attempts += 1
      usleep(10_000)
      if waits { try Interrupts.check() }
    }
    return 0
  }

  private static func holder(_ path: String) -> String {
    if let holder = LockMarker.holder(lock: path) { return holder }
    let note = (try? readFile(path)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    return note.isEmpty ? "another process" : note
  }

  private static func refusal(_ path: String) -> UserError {
    UserError(
      .unavailable, "\(parentFolder(of: path)) is in use by \(holder(path))",
      remedy: LockMarker.holder(lock: path) == nil
        ? "wait until it has finished, or choose another folder"
        : "wait until it has finished; if it is gone, remove \(LockMarker.path(path))")
  }
}
