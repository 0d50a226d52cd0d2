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
    descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw UserError.system(.cannotWrite, "cannot write \(path)") }
  }

  deinit { close(descriptor) }

  package func append(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if written < 0 && errno == EINTR { continue }
      guard written >= 0 else { throw UserError.system(.cannotWrite, "cannot write \(path)") }
      rest = rest.dropFirst(written)
    }
  }
}
