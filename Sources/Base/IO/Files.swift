// SPDX-License-Identifier: Apache-2.0

import Foundation

extension UserError {
  /// An error of the operating system: the problem followed by the text for `errno`.
  package static func system(_ kind: Kind, _ problem: String) -> UserError {
    let (reason, remedy) =
      switch errno {
      case ENOENT: ("no such file or folder", "check the path")
      case EACCES, EPERM, EROFS: (errnoText(), "check the permissions, or choose another folder")
      case ELOOP: ("it is a link to another file", "remove the link, or choose another folder")
      case ENOSPC, EDQUOT: (errnoText(), "free some space, or choose another folder")
      case EAGAIN:
        (errnoText(), "allow more processes and threads: ulimit -u, or the container's limit")
      default: (errnoText(), "check the path and the disk")
      }
    return UserError(kind, "\(problem): \(reason)", remedy: remedy)
  }
}

private func errnoText() -> String { String(cString: strerror(errno)).lowercased() }

/// The folder that a path lies in: `.` for a bare name, `/` for the root.
package func parentFolder(of path: String) -> String {
  let whole = withoutFinalSlashes(path)
  guard let slash = whole.lastIndex(of: "/") else { return "." }
  let parent = withoutFinalSlashes(String(whole[..<slash]))
  return parent.isEmpty ? "/" : parent
}

/// The last name of a path, `/` for the root.
package func lastName(of path: String) -> String {
  let whole = withoutFinalSlashes(path)
  guard whole != "/", let slash = whole.lastIndex(of: "/") else { return whole }
  return String(whole[whole.index(after: slash)...])
}

private func withoutFinalSlashes(_ path: String) -> String {
  let end = path.lastIndex { $0 != "/" }
  return end.map { String(path[...$0]) } ?? (path.isEmpty ? "" : "/")
}

/// Writes all bytes to an open file.
///
/// - Throws: `UserError` of kind `cannotWrite`, naming the file `path`.
package func writeAll(_ bytes: some ContiguousBytes, to descriptor: Int32, path: String) throws {
  try bytes.withUnsafeBytes { buffer in
    var rest = buffer[...]
    while !rest.isEmpty {
      let written = write(
        descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      if written >= 0 {
        rest = rest.dropFirst(written)
      } else if errno == EAGAIN {
        // Somebody made the pipe or terminal non-blocking: wait until there is room.
        var state = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&state, 1, -1)
      } else if errno != EINTR {
        throw UserError.system(.cannotWrite, "cannot write \(path)")
      }
    }
  }
}

/// The bytes of a whole file.
///
/// - Throws: `UserError` of kind `missingInput`, naming the file and the system's reason.
package func readFile(_ path: String) throws -> [UInt8] {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw UserError.system(.missingInput, "cannot read \(path)") }
  defer { close(descriptor) }
  var bytes: [UInt8] = []
  while true {
    let size = try remainingSize(descriptor, path)
    let block = try readBlock(descriptor, atMost: max(size, 1 << 16), path)
    if block.isEmpty { return bytes }
    if bytes.isEmpty { bytes = block } else { bytes += block }
  }
}

/// The next bytes of an open file, an empty array at its end.
///
/// - Throws: `UserError` of kind `missingInput`, naming the file `path`.
package func readBlock(_ descriptor: Int32, atMost count: Int, _ path: String) throws -> [UInt8] {
  try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
    while filled < count {
      let size = read(descriptor, buffer.baseAddress.map { $0 + filled }, count - filled)
      if size < 0 && errno == EINTR { continue }
      if size < 0 { throw UserError.system(.missingInput, "cannot read \(path)") }
      if size == 0 { return }
      filled += size
    }
  }
}

/// The bytes between the read position and the end, so that one read call takes them all.
private func remainingSize(_ descriptor: Int32, _ path: String) throws -> Int {
  var information = stat()
  guard fstat(descriptor, &information) == 0 else {
    throw UserError.system(.missingInput, "cannot read \(path)")
  }
  if information.st_mode & S_IFMT == S_IFDIR {
    throw UserError(
      .missingInput, "cannot read \(path): it is a folder", remedy: "name a file inside it")
  }
  return max(0, Int(information.st_size) - Int(lseek(descriptor, 0, SEEK_CUR)))
}

/// Creates a folder and those above it; an existing folder is fine.
///
/// - Throws: `UserError` of kind `cannotWrite`, naming the folder and the system's reason.
package func createFolder(_ path: String) throws {
  if mkdir(path, 0o777) == 0 { return }
  let parent = parentFolder(of: path)
  if errno == ENOENT && parent != path {
    try createFolder(parent)
    if mkdir(path, 0o777) == 0 { return }
  }
  let reason = errno
  if FileSystem.isFolder(path) { return }
  errno = reason
  throw UserError.system(.cannotWrite, "cannot create the folder \(path)")
}
