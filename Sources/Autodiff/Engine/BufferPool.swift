// SPDX-License-Identifier: Apache-2.0

import CShims
import Foundation
import Synchronization

/// Memory of exact sizes, kept for reuse instead of being given back to the system.
///
/// Shapes repeat from step to step, so after the second step every request is met from a free list:
/// no allocation, no page fault. Large buffers ask for huge pages.
package final class BufferPool: Sendable {
  /// The process's pool of main memory.
  package static let shared = BufferPool()

  /// What the pool has done; all sizes in bytes.
  package struct Counters: Sendable, Equatable {
    /// Bytes of the buffers in use.
    package var live = 0
    /// The most that was ever in use at once since ``BufferPool/resetPeak()``.
    package var peak = 0
    /// Requests that had to ask the system for memory.
    package var misses = 0
  }

  private struct State: @unchecked Sendable {
    var free: [Int: [UnsafeMutableRawPointer]] = [:]
    var counters = Counters()
  }

  private let state = Mutex(State())

  /// The counters at this moment.
  package var counters: Counters { state.withLock { $0.counters } }

  /// Starts a new measurement of the peak.
  package func resetPeak() { state.withLock { $0.counters.peak = $0.counters.live } }

  func acquire(bytes: Int) -> UnsafeMutableRawPointer {
    let found: UnsafeMutableRawPointer? = state.withLock { state in
      state.counters.live += bytes
      state.counters.peak = max(state.counters.peak, state.counters.live)
      if let buffer = state.free[bytes]?.popLast() { return buffer }
      state.counters.misses += 1
      return nil
    }
    let buffer = found ?? BufferPool.allocate(bytes: bytes)
    assert(MemoryBounds.lend(buffer, bytes: bytes))
    return buffer
  }

  func release(_ buffer: UnsafeMutableRawPointer, bytes: Int) {
    assert(MemoryBounds.takeBack(from: buffer))
    state.withLock { state in
      state.counters.live -= bytes
      state.free[bytes, default: []].append(buffer)
    }
  }

  private static func allocate(bytes: Int) -> UnsafeMutableRawPointer {
    let hugePage = 2 << 20
    let large = bytes >= hugePage
    let buffer = UnsafeMutableRawPointer.allocate(
      byteCount: bytes, alignment: large ? hugePage : 64)
    if large { lra_advise_huge_pages(buffer, bytes) }
    assert(MemoryBounds.add(buffer, bytes: bytes))
    return buffer
  }
}
