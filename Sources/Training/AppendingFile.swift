import Base
import Foundation

/// A file that only grows, each piece written with one `write` so that lines of a log stay whole.
package final class AppendingFile {
  package let path: String
  private let descriptor: Int32

  /// Opens `path` for appending, making it when absent.
  ///
  /// - Throws: `UserError(.cannotWrite)`.
  package init(path: String) throws {
    self.path = path
    descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw UserError.system(.cannotWrite, "cannot write \(path)") }
  }

  deinit { close(descriptor) }

  package func append(_ bytes: [UInt8]) throws {
    try writeAll(bytes, to: descriptor, path: path)
  }
}
