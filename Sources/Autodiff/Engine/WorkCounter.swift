// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What kernels do, counted where they do it, so that what they state can be held against it: the
/// floating-point operations of matrix products, and the lanes of every vector read or written.
///
/// Only builds with assertions count: every function returns true, to be called inside `assert`.
enum WorkCounter {
  private static let counted = Atomic<Int>(0)

  /// What was counted since the process began.
  static var count: Int { counted.load(ordering: .relaxed) }

  static func add(_ work: Int) -> Bool {
    counted.add(work, ordering: .relaxed)
    return true
  }
}
