// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// Runs of this program side by side, each with its output in files.
final class JobQueue {
  /// One run.
  struct Job {
    /// What it is called, in messages and file names.
    let name: String
    /// The arguments.
    let arguments: [String]
    /// Held until it has ended, so that no other process does the same.
    let lock: FileLock?
  }

  /// How a job ended.
  struct Outcome {
    /// The job.
    let job: Job
    /// How its process ended.
    let end: ChildProcess.End
    /// What it wrote to standard output.
    let output: String
    /// The last lines that it wrote to standard error.
    let errors: String
    /// Seconds that it took.
    let seconds: Double

    /// The error message, or how the process ended without one.
    var reason: String {
      let lines = errors.split(separator: "\n").map(String.init)
      guard let place = lines.lastIndex(where: { $0.hasPrefix("error: ") }) else {
        return end.reason
      }
      return ([String(lines[place].dropFirst("error: ".count))] + lines[(place + 1)...])
        .joined(separator: "; ")
    }
  }

  private struct Running {
    let job: Job
    let child: ChildProcess
    let start: Double
  }

  private let folder: String
  private let limit: Int
  private var running: [Running] = []
  private var stopping = false

  /// - Parameters:
  ///   - folder: for the output of the jobs, made when absent.
  ///   - limit: jobs at once.
  init(folder: String, limit: Int) throws {
    self.folder = folder
    self.limit = limit
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    // The output of jobs whose process and parent were killed.
    AbandonedFiles.remove(in: folder) { $0.hasSuffix(".out") || $0.hasSuffix(".err") }
  }

  /// Runs jobs until there are none left, or a signal asks to stop; then the jobs that run are asked
  /// to stop too, and waited for.
  ///
  /// - Parameters:
  ///   - next: the next job; `.later` when there may be one in a while.
  ///   - ended: told how each one ended.
  /// - Throws: what the closures throw, after the running jobs were stopped.
  func run(next: () throws -> Next, ended: (Outcome) throws -> Void) throws {
    var last = Next.none
    repeat {
      do {
        while running.count < limit, !stopping {
          last = try next()
          guard case .job(let job) = last else { break }
          try start(job)
        }
        for outcome in try collect() { try ended(outcome) }
      } catch {
        stop()
        while !running.isEmpty { _ = try? collect() }
        throw error
      }
      if Interrupts.stopRequested { stop() }
      if running.isEmpty, case .later = last, !stopping { usleep(2_000_000) }
      usleep(50_000)
    } while !running.isEmpty || (last.mayFollow && !stopping)
  }

  /// What there is to do next.
  enum Next {
    case job(Job)
    case later
    case none

    fileprivate var mayFollow: Bool {
      if case .none = self { false } else { true }
    }
  }

  private func start(_ job: Job) throws {
    let files = try [output(job), errors(job)].map { path in
      let file = AbandonedFiles.create(path, mode: 0o644)
      guard file >= 0 else { throw UserError.system(.cannotWrite, "cannot write \(path)") }
      return file
    }
    defer { files.forEach { close($0) } }
    let child = try ChildProcess(job.arguments, output: files[0], errors: files[1])
    running.append(Running(job: job, child: child, start: monotonicSeconds()))
  }

  /// The jobs that have ended since the last call.
  private func collect() throws -> [Outcome] {
    var outcomes: [Outcome] = []
    running = running.filter { item in
      guard let end = item.child.poll() else { return true }
      outcomes.append(
        Outcome(
          job: item.job, end: end, output: Self.text(output(item.job)),
          errors: Self.text(errors(item.job)), seconds: monotonicSeconds() - item.start))
      for path in [output(item.job), errors(item.job)] { unlink(path) }
      return false
    }
    return outcomes
  }

  private func stop() {
    guard !stopping else { return }
    stopping = true
    running.forEach { $0.child.stop() }
  }

  private func output(_ job: Job) -> String { "\(folder)/\(job.name).\(getpid()).out" }
  private func errors(_ job: Job) -> String { "\(folder)/\(job.name).\(getpid()).err" }

  private static func text(_ path: String) -> String {
    String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
  }
}
