import Foundation

/// A file that appears under its name only when it is complete.
///
/// Bytes go to `<name>.tmp-<process>` in the same folder; `commit` flushes them to the disk and
/// renames. A crash or an error leaves the earlier file as it was. Not for use by two threads.
public final class AtomicFile {
  private let path: String
  private let temporary: String
  private var descriptor: Int32

  /// Opens the temporary file.
  ///
  /// - Throws: `UserError` of kind `cannotWrite` with the system's reason.
  public init(_ path: String) throws {
    self.path = path
    temporary = "\(path).tmp-\(getpid())"
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    if descriptor < 0 { throw UserError.system(.cannotWrite, "cannot write \(path)") }
  }

  /// Appends bytes.
  public func write(_ bytes: some ContiguousBytes) throws {
    try bytes.withUnsafeBytes { buffer in
      var rest = buffer[...]
      while !rest.isEmpty {
        let written = Foundation.write(
          descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if written < 0 && errno == EINTR { continue }
        if written < 0 { throw UserError.system(.cannotWrite, "cannot write \(path)") }
        rest = rest.dropFirst(written)
      }
    }
  }

  /// Makes the file permanent under its name; nothing may be written afterwards.
  public func commit() throws {
    if fsync(descriptor) != 0 { throw UserError.system(.cannotWrite, "cannot write \(path)") }
    let closed = close(descriptor)
    descriptor = -1
    if closed != 0 || rename(temporary, path) != 0 {
      let error = UserError.system(.cannotWrite, "cannot write \(path)")
      unlink(temporary)
      throw error
    }
    flushFolder()
  }

  /// Writes the folder's entry to the disk, where the file system allows it.
  private func flushFolder() {
    let folder = (path as NSString).deletingLastPathComponent
    let entry = open(folder.isEmpty ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard entry >= 0 else { return }
    fsync(entry)
    close(entry)
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    unlink(temporary)
  }
}

/// Writes a whole file so that readers see either the old bytes or all of the new ones.
///
/// - Throws: `UserError` of kind `cannotWrite`, naming the file and the system's reason.
public func writeAtomically(_ bytes: some ContiguousBytes, to path: String) throws {
  let file = try AtomicFile(path)
  try file.write(bytes)
  try file.commit()
}
