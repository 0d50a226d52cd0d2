// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What stands for a lock where the file system has none: a symbolic link that names its process.
///
/// Such a link is made in one step, with its text, by one process only. It goes with the marker; that
/// of a process of this machine which was killed is taken over by the next one.
final class LockMarker: Sendable {
  let path: String

  /// Makes the marker of a lock file.
  ///
  /// - Returns: nil when another process holds it.
  /// - Throws: `UserError` of kind `cannotWrite`.
  static func make(lock: String) throws -> LockMarker? {
    let path = path(lock)
    while symlink(ownText, path) != 0 {
      guard errno == EEXIST else { throw UserError.system(.cannotWrite, "cannot lock \(lock)") }
      guard removeAbandoned(path) else { return nil }
    }
    return LockMarker(path)
  }

  private init(_ path: String) { self.path = path }

  deinit { unlink(path) }

  /// Who holds the marker of a lock file, such as `process 12 on host`; nil for nobody.
  static func holder(lock: String) -> String? {
    guard let text = text(path(lock)), !isAbandoned(text) else { return nil }
    return text.components(separatedBy: ", started ")[0]
  }

  static func path(_ lock: String) -> String { "\(lock).held" }

  /// Removes the marker of a process that has ended.
  ///
  /// - Returns: whether the marker can be made now.
  private static func removeAbandoned(_ path: String) -> Bool {
    guard let text = text(path) else { return true }
    guard isAbandoned(text) else { return false }
    // Of several processes that see it at once, one moves it.
    let aside = "\(path).\(getpid())"
    guard rename(path, aside) == 0 else { return true }
    defer { unlink(aside) }
    guard let moved = Self.text(aside), moved != text else { return true }
    // Another process was faster, and this is its new marker.
    symlink(moved, path)
    return false
  }

  private static func text(_ path: String) -> String? {
    var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(path, &bytes, bytes.count)
    return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
  }

  private static var ownText: String {
    "process \(getpid()) on \(ProcessInfo.processInfo.hostName), started \(startTime(getpid()) ?? "")"
  }

  /// Whether the process that a text names is of this machine and has ended.
  private static func isAbandoned(_ text: String) -> Bool {
    let words = text.split(separator: " ")
    guard words.count == 6, let process = pid_t(words[1]),
      words[3] == "\(ProcessInfo.processInfo.hostName),"
    else { return false }
    return startTime(process) != String(words[5])
  }

  /// When a process of this machine began, in the kernel's ticks; nil when there is none.
  ///
  /// It tells a process from a later one of the same number.
  private static func startTime(_ process: pid_t) -> String? {
    // The second field, the program's name in brackets, may hold spaces.
    guard let line = try? readFile("/proc/\(process)/stat") else { return nil }
    let fields = String(decoding: line, as: UTF8.self).components(separatedBy: ") ").last?
      .split(separator: " ")
    guard let fields, fields.count > 19, fields[0] != "Z" else { return nil }
    return String(fields[19])
  }
}
