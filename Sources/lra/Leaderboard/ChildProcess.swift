// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// A run of this very program with other arguments.
///
/// The terminal is shared with the child, and Ctrl-C reaches it too. Foundation's `Process` would put
/// the child into a process group of its own, where it survives.
final class ChildProcess {
  /// How a child ended.
  enum End: Equatable {
    case exited(Int32)
    case killed(signal: Int32)
  }

  private let identifier: pid_t
  private var ended: End?

  /// Starts the program.
  ///
  /// - Parameters:
  ///   - output: the descriptor that becomes its standard output.
  ///   - errors: the same for standard error; nil to share ours.
  ///   - input: the same for standard input; nil to share ours.
  /// - Throws: `UserError(.failed)` when it cannot be started.
  init(_ arguments: [String], output: Int32, errors: Int32? = nil, input: Int32? = nil) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    if let errors { posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO) }
    if let input { posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO) }
    var texts = ([CommandLine.arguments[0]] + arguments).map { strdup($0) } + [nil]
    defer { texts.forEach { free($0) } }
    var child = pid_t()
    let failure = posix_spawn(&child, "/proc/self/exe", &actions, nil, &texts, environ)
    guard failure == 0 else {
      errno = failure
      throw UserError.system(.failed, "cannot start another process")
    }
    identifier = child
  }

  /// How it ended, nil while it runs.
  func poll() -> End? { check(WNOHANG) }

  /// Waits for its end.
  func wait() -> End { check(0) ?? .exited(0) }

  /// Asks it to save and stop.
  ///
  /// Ctrl-C has reached it already, and a second INT would end it unsaved.
  func stop() { if ended == nil { kill(identifier, SIGTERM) } }

  private func check(_ options: Int32) -> End? {
    if let ended { return ended }
    var status: Int32 = 0
    var found: pid_t
    repeat { found = waitpid(identifier, &status, options) } while found < 0 && errno == EINTR
    guard found == identifier else { return nil }
    let signal = status & 0x7F
    ended = signal == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal: signal)
    return ended
  }

  /// Runs the program and waits for its end; a signal that asks us to stop is passed on at once.
  ///
  /// - Returns: what it wrote to standard output, and how it ended.
  /// - Throws: `UserError(.failed)` when it cannot be started.
  static func runSelf(_ arguments: [String]) throws -> (output: String, end: End) {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw UserError.system(.failed, "cannot make a pipe") }
    // The child has its end as standard output; other copies would keep the pipe open.
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(ends[0]) }
    let child: ChildProcess
    do {
      defer { close(ends[1]) }
      child = try ChildProcess(arguments, output: ends[1])
    }
    let output = try child.output(ends[0])
    return (String(decoding: output, as: UTF8.self), child.wait())
  }

  /// Reads all that the child writes.
  private func output(_ descriptor: Int32) throws -> [UInt8] {
    var (all, isStopping): ([UInt8], Bool) = ([], false)
    while true {
      if Interrupts.stopRequested, !isStopping {
        isStopping = true
        stop()
      }
      var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard Foundation.poll(&state, 1, 100) > 0 else { continue }
      let block = try readBlock(descriptor, atMost: 1, "the output of another process")
      if block.isEmpty { return all }
      all += block
    }
  }
}

extension ChildProcess.End {
  /// Why a child without an answer ended.
  var reason: String {
    switch self {
    case .exited(let status): "ended with status \(status)"
    case .killed(signal: SIGKILL): "killed, most likely for want of memory; try a smaller batch"
    case .killed(let signal): "crashed with signal \(signal)"
    }
  }
}
