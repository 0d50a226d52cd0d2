// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// Starts a thread.
///
/// Foundation's and Dispatch's own threads wait for ever where the system allows no more of them: a
/// container's limit, `ulimit -u`.
///
/// - Returns: false when it cannot be started; the body is then not called.
@discardableResult
package func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
  var attributes = pthread_attr_t()
  pthread_attr_init(&attributes)
  defer { pthread_attr_destroy(&attributes) }
  pthread_attr_setstacksize(&attributes, 8 << 20)
  pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
  let start = Unmanaged.passRetained(ThreadStart(body))
  var thread = pthread_t()
  let failure = pthread_create(
    &thread, &attributes,
    { argument in
      if let argument { Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue().body() }
      return nil
    }, start.toOpaque())
  if failure != 0 { start.release() }
  return failure == 0
}

/// How many threads the system lets this process have at once, the calling one included.
///
/// - Parameter count: the most that are wanted.
package func startableThreads(_ count: Int) -> Int {
  let (end, ended) = (DispatchSemaphore(value: 0), DispatchGroup())
  let others = (1..<max(1, count)).prefix { _ in
    ended.enter()
    let started = startThread {
      end.wait()
      ended.leave()
    }
    if !started { ended.leave() }
    return started
  }.count
  for _ in 0..<others { end.signal() }
  ended.wait()
  return others + 1
}

private final class ThreadStart: Sendable {
  let body: @Sendable () -> Void

  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// Calls `body(number)` for every number in 0..<count, on several threads, as many as can be started.
///
/// - Parameters:
///   - threads: threads, the calling one included.
///   - body: must not depend on the order of its calls.
package func concurrently(
  _ count: Int, threads: Int = usableCores, _ body: @Sendable (Int) -> Void
) {
  withoutActuallyEscaping(body) { body in
    let work = SharedWork(count, body)
    for _ in 1..<max(1, min(threads, count)) {
      work.group.enter()
      let started = startThread {
        work.run()
        work.group.leave()
      }
      guard started else {
        work.group.leave()
        break
      }
    }
    work.run()
    work.group.wait()
    work.body = nil
  }
}

/// What the threads of one call share.
private final class SharedWork: @unchecked Sendable {
  let group = DispatchGroup()
  /// Until all of them are done with it.
  var body: (@Sendable (Int) -> Void)?
  private let count: Int
  private let next = Atomic(0)

  init(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    self.count = count
    self.body = body
  }

  func run() {
    guard let body else { return }
    while true {
      let number = next.add(1, ordering: .relaxed).oldValue
      guard number < count else { return }
      body(number)
    }
  }
}
