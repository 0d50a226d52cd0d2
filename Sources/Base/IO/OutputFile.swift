// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Writes a file that the user has named for output.
///
/// A plain file is replaced in one step, with its mode kept; through a link, the file that it leads to.
/// What is no plain file (a device, a pipe) is written into, and so is the file that is standard
/// output or standard error.
///
/// - Throws: `UserError` of kind `cannotWrite`, naming the file and the system's reason.
package func writeOutput(_ bytes: some ContiguousBytes, to path: String) throws {
  var information = stat()
  guard stat(path, &information) == 0 else {
    return try writeAtomically(bytes, to: try linkTarget(path))
  }
  if let stream = standardStream(information) { return try writeAll(bytes, to: stream, path: path) }
  switch information.st_mode & S_IFMT {
  case S_IFREG:
    let file = try AtomicFile(try linkTarget(path), mode: information.st_mode & 0o7777)
    try file.write(bytes)
    try file.commit()
  case S_IFDIR:
    throw UserError(
      .cannotWrite, "cannot write \(path): it is a folder", remedy: "name a file inside it")
  default:
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw UserError.system(.cannotWrite, "cannot write \(path)") }
    defer { close(descriptor) }
    try writeAll(bytes, to: descriptor, path: path)
  }
}

/// Standard output or standard error where it is the file described; a second way into it would
/// overwrite what the first has written.
private func standardStream(_ file: stat) -> Int32? {
  [STDOUT_FILENO, STDERR_FILENO].first { stream in
    var other = stat()
    return fstat(stream, &other) == 0 && other.st_dev == file.st_dev && other.st_ino == file.st_ino
      && other.st_mode & S_IFMT == S_IFREG
  }
}

/// The path behind links, which need not exist.
private func linkTarget(_ path: String) throws -> String {
  var place = path
  for _ in 0..<40 {
    guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: place) else {
      return place
    }
    place = target.hasPrefix("/") ? target : "\(parentFolder(of: place))/\(target)"
  }
  throw UserError(
    .cannotWrite, "cannot write \(path): its links lead round in a circle",
    remedy: "remove the link")
}
