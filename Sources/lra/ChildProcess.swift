import Base
import Foundation

/// A run of this very program with other arguments.
///
/// Standard error and the terminal are shared with the child, and Ctrl-C reaches it too.
/// Foundation's `Process` would put the child into a process group of its own, where it survives.
enum ChildProcess {
  /// How a child ended.
  enum End: Equatable {
    case exited(Int32)
    case killed(signal: Int32)
  }

  /// Runs the program and waits for its end.
  ///
  /// - Returns: what it wrote to standard output, and how it ended.
  /// - Throws: `UserError(.failed)` when it cannot be started.
  static func runSelf(_ arguments: [String]) throws -> (output: String, end: End) {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw UserError.system(.failed, "cannot make a pipe") }
    defer { close(ends[0]) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
    posix_spawn_file_actions_addclose(&actions, ends[0])
    posix_spawn_file_actions_addclose(&actions, ends[1])
    var texts = (["lra"] + arguments).map { strdup($0) } + [nil]
    defer { texts.forEach { free($0) } }
    var child = pid_t()
    let failure = posix_spawn(&child, "/proc/self/exe", &actions, nil, &texts, environ)
    close(ends[1])
    guard failure == 0 else {
      errno = failure
      throw UserError.system(.failed, "cannot start another process")
    }
    let output = FileHandle(fileDescriptor: ends[0], closeOnDealloc: false).readDataToEndOfFile()
    return (String(decoding: output, as: UTF8.self), wait(for: child))
  }

  private static func wait(for child: pid_t) -> End {
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 && errno == EINTR {}
    let signal = status & 0x7F
    return signal == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal: signal)
  }
}
