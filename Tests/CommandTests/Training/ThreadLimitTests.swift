// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// The system lets a process start no thread and no other process, as a container's limit does.
@Suite(
  "A limit of threads and processes",
  .enabled(if: Limit.isKept, "needs bash, and setpriv for root, whom no limit binds"))
struct ThreadLimitTests {
  @Test("A run trains with the one thread that it gets, to the same bytes, and says so")
  func train() throws {
    try withScratchFolder { folder in
      #expect(chmod(folder, 0o777) == 0)
      let training = TinyTraining(folder: folder)
      let output = { ["--output", training.path($0), "--threads", "4"] }
      let limited = try Limit.lra(training.arguments + output("limited"))
      #expect(limited.status == 0, "\(limited.errors)")
      #expect(limited.errors.contains("warning: the system lets only 1 of 4 threads start"))
      #expect(try training.run("free").status == 0)
      #expect(try training.results("limited") == training.results("free"))
    }
  }

  @Test("A command that needs another process says what stands in its way")
  func bench() throws {
    let result = try Limit.lra(["bench", "--model", "linear", "--length", "64", "--steps", "1"])
    #expect(result.status == 1)
    #expect(
      result.errors.hasSuffix(
        """
        error: cannot start another process: resource temporarily unavailable
        allow more processes and threads: ulimit -u, or the container's limit

        """))
  }

  @Test("OpenBLAS, which ends a process that gets no thread, is asked for one alone")
  func doctor() throws {
    let result = try Limit.lra(["doctor"])
    #expect(result.status == 0, "\(result.errors)")
    #expect(!result.errors.contains("pthread_create"))
  }
}

private enum Limit {
  /// Runs `lra` where it may have one thread.
  static func lra(_ arguments: [String]) throws -> CommandResult {
    let limited = ["/bin/bash", "-c", "ulimit -u 1 && exec \"$0\" \"$@\"", CommandRunner.program]
    let nobody = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    let words = (geteuid() == 0 ? nobody : []) + limited + arguments
    return try CommandRunner.run(words[0], Array(words[1...]))
  }

  /// Whether it can be had here.
  static let isKept = (try? lra(["--version"]))?.status == 0
}
