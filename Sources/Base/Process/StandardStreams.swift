// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The process's standard input, output and error.
package enum StandardStreams {
  /// Makes the three safe to use; to be called before anything else opens a file.
  ///
  /// A closed one is opened on the null device, in the direction that nobody uses: otherwise the next
  /// file to be opened would get its number, and messages would land in it, or results would seem to
  /// have been written. A reader that is gone, or a file that has reached its greatest size, makes
  /// writes fail instead of ending the process.
  package static func prepare() {
    for (descriptor, mode) in [
      (STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY),
    ] where fcntl(descriptor, F_GETFD) < 0 {
      // The lowest free number is this one, those below it being open.
      _ = open("/dev/null", mode)
    }
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
  }

  /// Writes a result.
  ///
  /// - Throws: `UserError(.cannotWrite)`, one line, when nobody reads it or there is no room.
  package static func writeOutput(_ text: String) throws {
    do {
      try writeAll(Array(text.utf8), to: STDOUT_FILENO, path: "standard output")
    } catch let error as UserError {
      throw UserError(error.kind, error.problem, remedy: "")
    }
  }

  /// Writes a message, which is lost where nobody reads it.
  package static func writeError(_ text: String) {
    try? writeAll(Array(text.utf8), to: STDERR_FILENO, path: "standard error")
  }
}
