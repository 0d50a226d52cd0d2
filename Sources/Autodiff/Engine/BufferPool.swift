// SPDX-License-Identifier: Apache-2.0

import CShims
import Foundation
import Synchronization

/// Memory of exact sizes, kept for reuse instead of being given back to the system.
///
/// Shapes repeat from step to step, so after the second step every request is met from a free list:
/// no allocation, no page fault. Large buffers ask for huge pages. A buffer can be lent out as two halves,
/// and is whole again when both have come back.
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
    /// The other half of each half of a buffer.
    var twins: [Half: UnsafeMutableRawPointer] = [:]
    var counters = Counters()

    /// A buffer of this size, or half of one of twice the size.
    mutating func take(_ bytes: Int, orHalf: Bool) -> UnsafeMutableRawPointer? {
      if let buffer = free[bytes]?.popLast() { return buffer }
      guard orHalf, let whole = free[2 * bytes]?.popLast() else { return nil }
      cut(whole, bytes)
      return whole
    }

    /// Makes two halves of a buffer, the second of which is free.
    mutating func cut(_ whole: UnsafeMutableRawPointer, _ bytes: Int) {
      let rest = whole + bytes
      twins[Half(start: whole, bytes: bytes)] = rest
      twins[Half(start: rest, bytes: bytes)] = whole
      free[bytes, default: []].append(rest)
    }

    mutating func put(_ buffer: UnsafeMutableRawPointer, _ bytes: Int) {
      guard let twin = twins[Half(start: buffer, bytes: bytes)],
        let index = free[bytes]?.lastIndex(of: twin)
      else {
        free[bytes, default: []].append(buffer)
        return
      }
      free[bytes]?.remove(at: index)
      for start in [buffer, twin] { twins[Half(start: start, bytes: bytes)] = nil }
      put(min(buffer, twin), 2 * bytes)
    }
  }

  private struct Half: Hashable {
    let start: UnsafeMutableRawPointer
    let bytes: Int
  }

  private let state = Mutex(State())

  /// The counters at this moment.
  package var counters: Counters { state.withLock { $0.counters } }

  /// Starts a new measurement of the peak.
  package func resetPeak() { state.withLock { $0.counters.peak = $0.counters.live } }

  /// Lends out a buffer; what is in it is whatever was there.
  ///
  /// - Parameter orHalf: whether it is half of a buffer of twice the size.
  package func acquire(bytes: Int, orHalf: Bool = false) -> UnsafeMutableRawPointer {
    let found: UnsafeMutableRawPointer? = state.withLock { state in
      state.counters.live += bytes
      state.counters.peak = max(state.counters.peak, state.counters.live)
      if let buffer = state.take(bytes, orHalf: orHalf) { return buffer }
      state.counters.misses += 1
      return nil
    }
    let buffer = found ?? allocate(bytes, asHalf: orHalf)
    assert(MemoryBounds.lend(buffer, bytes: bytes))
    return buffer
  }

  /// Takes a buffer back.
  package func release(_ buffer: UnsafeMutableRawPointer, bytes: Int) {
    assert(MemoryBounds.takeBack(buffer, bytes: bytes))
    state.withLock { state in
      state.counters.live -= bytes
      state.put(buffer, bytes)
    }
  }

  /// From the system.
  private func allocate(_ bytes: Int, asHalf: Bool) -> UnsafeMutableRawPointer {
    if !asHalf { return BufferPool.allocate(bytes: bytes) }
    let whole = BufferPool.allocate(bytes: 2 * bytes)
    state.withLock { $0.cut(whole, bytes) }
    return whole
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
