// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Training

/// Another process of this program that has a run in memory, and measures a turn when it is asked to.
final class TurnProcess {
  private let run: String
  private let child: ChildProcess
  private let asking: Int32
  private let answering: Int32

  /// Starts it and waits until it is ready.
  ///
  /// - Parameters:
  ///   - training: its training steps, not its answers.
  ///   - steps: of a turn.
  /// - Throws: `UserError` where it ends instead.
  init(_ run: String, training: Bool, steps: Int, threads: Int) throws {
    self.run = run
    var (questions, answers): ([Int32], [Int32]) = ([0, 0], [0, 0])
    guard pipe(&questions) == 0, pipe(&answers) == 0 else {
      throw UserError.system(.failed, "cannot make a pipe")
    }
    // The child has its ends as standard input and output; other copies would keep the pipes open.
    for end in questions + answers { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    (asking, answering) = (questions[1], answers[0])
    defer { [questions[0], answers[1]].forEach { close($0) } }
    let arguments =
      ["bench", run, "--turns", "--steps", "\(steps)", "--threads", "\(threads)"]
      + (training ? ["--training"] : [])
    child = try ChildProcess(arguments, output: answers[1], input: questions[0])
    _ = try line()
  }

  deinit {
    close(asking)
    close(answering)
    _ = child.wait()
  }

  /// Measures a turn.
  ///
  /// - Throws: `UserError` where the process has ended.
  func turn() throws -> RunTurn {
    try writeAll([UInt8(ascii: "\n")], to: asking, path: "the process that measures \(run)")
    do throws(FieldFault) {
      return try SnakeCaseJSON.checked(RunTurn.self, from: try line())
    } catch {
      throw UserError(.failed, "\(run): cannot be measured: \(error.text)", remedy: "")
    }
  }

  /// The next line that it prints.
  private func line() throws(FieldFault) -> [UInt8] {
    var line: [UInt8] = []
    while true {
      guard let byte = try? readBlock(answering, atMost: 1, run).first else {
        throw FieldFault("the process \(child.wait().reason)")
      }
      if byte == UInt8(ascii: "\n") { return line }
      line.append(byte)
    }
  }
}
