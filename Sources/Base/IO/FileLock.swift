import Foundation

/// An advisory lock on a file: one process at a time works in a folder.
///
/// The lock goes with the process, also when it is killed. The file stays behind and tells who
/// held it last; removing it would let two processes lock two different files of the same name.
public final class FileLock: Sendable {
  /// The locked file.
  public let path: String
  private let descriptor: Int32

  /// Locks the file at once or fails.
  ///
  /// - Throws: `UserError` of kind `unavailable` that names the holder, or `cannotWrite`.
  public convenience init(_ path: String) throws {
    let descriptor = try FileLock.open(path)
    guard FileLock.lock(descriptor, LOCK_EX | LOCK_NB) else {
      let error = FileLock.refusal(path)
      close(descriptor)
      throw error
    }
    self.init(path, descriptor)
  }

  /// Locks the file, waiting for another holder to finish.
  ///
  /// - Parameter report: told who holds the lock, before the wait begins.
  /// - Throws: `UserError` of kind `cannotWrite`, or `unavailable` when locks do not work there.
  public convenience init(waitingFor path: String, report: (String) -> Void) throws {
    let descriptor = try FileLock.open(path)
    if !FileLock.lock(descriptor, LOCK_EX | LOCK_NB) {
      report("waiting for \(FileLock.holder(path)), which holds \(path)")
      guard FileLock.lock(descriptor, LOCK_EX) else {
        let error = FileLock.refusal(path)
        close(descriptor)
        throw error
      }
    }
    self.init(path, descriptor)
  }

  /// Whether a process holds the lock at this moment; the file is neither made nor changed.
  public static func isHeld(_ path: String) -> Bool {
    let descriptor = Foundation.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    // A shared lock is refused while somebody has the exclusive one.
    return flock(descriptor, LOCK_SH | LOCK_NB) != 0
  }

  private init(_ path: String, _ descriptor: Int32) {
    self.path = path
    self.descriptor = descriptor
    let note = "process \(getpid()) on \(ProcessInfo.processInfo.hostName)"
    // The note only helps people; a full disk must not stop the run here.
    _ = ftruncate(descriptor, 0) == 0 && pwrite(descriptor, note, note.utf8.count, 0) > 0
  }

  private static func open(_ path: String) throws -> Int32 {
    let descriptor = Foundation.open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o666)
    if descriptor < 0 { throw UserError.system(.cannotWrite, "cannot lock \(path)") }
    return descriptor
  }

  /// A lock that is held is tried again for a fifth of a second: a program that is just being
  /// started shares its parent's locks until it runs.
  private static func lock(_ descriptor: Int32, _ operation: Int32) -> Bool {
    var attempts = 0
    while flock(descriptor, operation) != 0 {
      let reason = errno
      if reason == EWOULDBLOCK && attempts < 20 {
        attempts += 1
        usleep(10_000)
      } else if reason != EINTR {
        errno = reason
        return false
      }
    }
    return true
  }

  private static func holder(_ path: String) -> String {
    let note = (try? readFile(path)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    return note.isEmpty ? "another process" : note
  }

  private static func refusal(_ path: String) -> UserError {
    guard errno == EWOULDBLOCK else { return UserError.system(.unavailable, "cannot lock \(path)") }
    return UserError(
      .unavailable, "\(parentFolder(of: path)) is in use by \(holder(path))",
      remedy: "wait until it has finished, or choose another folder")
  }

  deinit { close(descriptor) }
}
