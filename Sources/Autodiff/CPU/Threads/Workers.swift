// SPDX-License-Identifier: Apache-2.0

import Base
import CShims
import Foundation
import Synchronization

/// The threads that share the work inside an operation.
///
/// `run` hands out piece numbers one at a time, so a core that is busy elsewhere takes fewer. What
/// a piece computes depends on its number alone, never on the thread or the number of threads, so
/// results have the same bits on any number of cores.
package final class Workers: @unchecked Sendable {
  /// The process's threads: as many as there are usable cores, or `LRA_THREADS`.
  package static let shared = Workers(count: defaultCount)

  private static var defaultCount: Int {
    // The command line has refused a value that is no number of threads.
    ((try? ThreadCount.fromEnvironment()) ?? nil) ?? usableCores
  }

  /// Threads in use, the calling one included.
  package private(set) var count: Int

  private typealias Body = @Sendable (Int, Workspace) -> Void
  private var body: Body?
  private var pieces = 0
  private let next = Atomic<Int>(0)
  private let busy = Atomic<Int>(0)
  private let generation = Atomic<Int>(0)
  private let condition = NSCondition()
  private var workspaces: [Workspace] = []
  private var started = 1
  private let turn = NSLock()
  private let startThread: (@escaping @Sendable () -> Void) -> Bool

  /// Prepares `count` threads; they start with the first work that needs them.
  package convenience init(count: Int) {
    self.init(count: count) { Base.startThread($0) }
  }

  /// - Parameter startThread: starts a thread, or says that the system allows no more.
  package init(count: Int, startThread: @escaping (@escaping @Sendable () -> Void) -> Bool) {
    self.count = count
    self.startThread = startThread
    workspaces = (0..<count).map { _ in Workspace() }
    lra_flush_denormals()
  }

  /// Uses `count` threads from now on; must be called before any work.
  package func limit(to count: Int) {
    precondition(started == 1, "threads: the number can only be set before the first operation")
    self.count = max(1, count)
    workspaces = (0..<self.count).map { _ in Workspace() }
  }

  /// The most bytes of workspace that a piece of work has needed since ``resetWorkspacePeak()``,
  /// whatever the number of threads; must be asked for between operations.
  package var workspacePeak: Int { workspaces.map(\.peak).max() ?? 0 }

  /// Starts a new measurement of that peak.
  package func resetWorkspacePeak() { workspaces.forEach { $0.resetPeak() } }

  /// Starts the threads; where the system allows fewer (a container's limit, `ulimit -u`), those that
  /// there are do the work.
  ///
  /// - Returns: threads in use, the calling one included.
  package func start() -> Int {
    turn.withLock { startThreads() }
    return count
  }

  /// Calls `body(piece, workspace)` for every piece in 0..<pieces, on all threads.
  ///
  /// - Complexity: about 2 µs beyond the work itself while the other threads are awake.
  package func run(_ pieces: Int, _ body: (Int, Workspace) -> Void) {
    if pieces == 0 { return }
    lra_flush_denormals()
    guard turn.try() else { return runAlone(pieces, Workspace(), body) }
    defer { turn.unlock() }
    if count == 1 || pieces == 1 { return runAlone(pieces, workspaces[0], body) }
    startThreads()
    if count == 1 { return runAlone(pieces, workspaces[0], body) }
    withoutActuallyEscaping(body) { escaping in
      typealias Local = (Int, Workspace) -> Void
      self.body = unsafeBitCast(escaping as Local, to: Body.self)
      self.pieces = pieces
      next.store(0, ordering: .relaxed)
      busy.store(count - 1, ordering: .relaxed)
      condition.lock()
      generation.add(1, ordering: .releasing)
      condition.broadcast()
      condition.unlock()
      work(workspaces[0])
      waitForOthers()
      self.body = nil
    }
  }

  /// All pieces on the calling thread: for one core, and for a caller that finds the threads at
  /// work for another.
  private func runAlone(
    _ pieces: Int, _ workspace: Workspace, _ body: (Int, Workspace) -> Void
  ) {
    for piece in 0..<pieces {
      workspace.reset()
      body(piece, workspace)
    }
  }

  private func work(_ workspace: Workspace) {
    guard let body else { return }
    while true {
      let piece = next.add(1, ordering: .relaxed).oldValue
      if piece >= pieces { return }
      workspace.reset()
      body(piece, workspace)
    }
  }

  private func waitForOthers() {
    var spins = 0
    while busy.load(ordering: .acquiring) > 0 {
      spins += 1
      if spins < 2000 { lra_pause() } else { sched_yield() }
    }
  }

  private func startThreads() {
    while started < count {
      let workspace = workspaces[started]
      let seen = generation.load(ordering: .acquiring)
      guard startThread({ [self] in serve(workspace, seen) }) else {
        count = started
        return
      }
      started += 1
    }
  }

  private func serve(_ workspace: Workspace, _ first: Int) {
    lra_flush_denormals()
    var seen = first
    while true {
      waitForWork(after: seen)
      seen += 1
      work(workspace)
      busy.subtract(1, ordering: .releasing)
    }
  }

  /// Spins for some microseconds, since operations follow each other closely, then sleeps.
  private func waitForWork(after seen: Int) {
    for _ in 0..<4000 {
      if generation.load(ordering: .acquiring) != seen { return }
      lra_pause()
    }
    condition.lock()
    while generation.load(ordering: .acquiring) == seen { condition.wait() }
    condition.unlock()
  }
}

/// Calls `body(piece, workspace)` for every piece in 0..<pieces on the process's threads.
func parallel(_ pieces: Int, _ body: (Int, Workspace) -> Void) {
  Workers.shared.run(pieces, body)
}

/// Calls `body(range, workspace)` for 0..<count cut into ranges of at most `size`.
func parallel(_ count: Int, by size: Int, _ body: (Range<Int>, Workspace) -> Void) {
  parallel((count + size - 1) / size) { piece, workspace in
    body(piece * size..<min(count, (piece + 1) * size), workspace)
  }
}
