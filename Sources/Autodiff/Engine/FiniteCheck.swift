// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Finds the first operation whose result is not finite, when asked to look.
///
/// Looking at every result would cost a pass over memory, so it is off until a loss turns out
/// not to be finite; the step is then run again with it on.
package final class FiniteCheck: Sendable {
  /// The process's check.
  package static let shared = FiniteCheck()

  private let enabled = Atomic<Bool>(false)
  private let culprit = Mutex<String?>(nil)

  /// Runs `body` with the check on.
  ///
  /// - Returns: the name of the first operation with an infinite or undefined result, if any.
  package func firstFailure(_ body: () throws -> Void) rethrows -> String? {
    culprit.withLock { $0 = nil }
    enabled.store(true, ordering: .relaxed)
    defer { enabled.store(false, ordering: .relaxed) }
    try body()
    return culprit.withLock { $0 }
  }

  func inspect(_ tensor: Tensor, after name: String) {
    guard enabled.load(ordering: .relaxed) else { return }
    report(tensor.pointer, tensor.count, name)
  }

  func inspect(_ nodes: [Node], after name: String) {
    guard enabled.load(ordering: .relaxed) else { return }
    for node in nodes where node.isLeaf && node.hasGradient {
      if let gradient = node.gradient { report(gradient.pointer, gradient.count, name) }
    }
  }

  private func report(_ values: UnsafePointer<Float>, _ count: Int, _ name: String) {
    for i in 0..<count where !values[i].isFinite {
      culprit.withLock { if $0 == nil { $0 = name } }
      return
    }
  }
}
