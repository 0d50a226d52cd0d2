// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// One buffer of floats, which goes back to its pool when nothing refers to it.
///
/// Between the forward and the backward pass it may be rounded to bfloat16, in half the memory; who asks for
/// ``pointer`` then gets floats again, of the rounded values.
package final class Storage: @unchecked Sendable {
  /// Floats allocated.
  package let count: Int
  private let owner: Storage?
  /// Where the floats are, nil while they are rounded.
  private let place: Atomic<UnsafeMutablePointer<Float>?>
  /// What takes the place of the floats while they are rounded.
  private let halves = Mutex<RoundedFloats?>(nil)
  /// Whether parts of it are buffers of their own.
  private let hasSlices = Atomic<Bool>(false)

  /// Takes `count` floats from the pool; their content is whatever was there.
  init(count: Int) {
    place = Atomic(BufferPool.shared.acquire(floats: count))
    self.count = count
    owner = nil
  }

  /// Takes room for `count` doubles, which ``doubles`` gives.
  convenience init(doubles count: Int) {
    self.init(count: count * (MemoryLayout<Double>.stride / MemoryLayout<Float>.stride))
    UnsafeMutableRawPointer(pointer).bindMemory(to: Double.self, capacity: count)
  }

  /// A part of another buffer, which it keeps alive.
  init(slice owner: Storage, from offset: Int, count: Int) {
    precondition(offset >= 0 && offset + count <= owner.count, "storage: slice out of range")
    owner.hasSlices.store(true, ordering: .relaxed)
    place = Atomic(owner.pointer + offset)
    self.count = count
    self.owner = owner
  }

  deinit {
    guard owner == nil, let floats = place.load(ordering: .acquiring) else { return }
    BufferPool.shared.release(floats, floats: count)
  }

  /// The floats; outside inner loops, since no compiler may assume that they stay where they are.
  var pointer: UnsafeMutablePointer<Float> { place.load(ordering: .acquiring) ?? restored() }

  /// The memory of a buffer that was taken for doubles.
  var doubles: UnsafeMutablePointer<Double> {
    UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: Double.self)
  }

  /// Sets every float to zero.
  func clear() { pointer.update(repeating: 0, count: count) }

  // MARK: Rounding

  /// Rounds the floats to bfloat16 until somebody asks for them; slices and what has some stay as they
  /// are.
  ///
  /// - Precondition: nobody holds ``pointer``.
  func round() {
    guard owner == nil, !hasSlices.load(ordering: .relaxed) else { return }
    halves.withLock { halves in
      guard let floats = place.load(ordering: .acquiring) else { return }
      halves = RoundedFloats(floats, count: count)
      place.store(nil, ordering: .releasing)
      BufferPool.shared.release(floats, floats: count)
    }
  }

  private func restored() -> UnsafeMutablePointer<Float> {
    halves.withLock { halves in
      if let floats = place.load(ordering: .acquiring) { return floats }
      let floats = BufferPool.shared.acquire(floats: count)
      halves?.copy(into: floats)
      halves = nil
      place.store(floats, ordering: .releasing)
      return floats
    }
  }
}

extension BufferPool {
  fileprivate func acquire(floats count: Int) -> UnsafeMutablePointer<Float> {
    acquire(bytes: max(count, 1) * MemoryLayout<Float>.stride)
      .bindMemory(to: Float.self, capacity: max(count, 1))
  }

  fileprivate func release(_ floats: UnsafeMutablePointer<Float>, floats count: Int) {
    release(UnsafeMutableRawPointer(floats), bytes: max(count, 1) * MemoryLayout<Float>.stride)
  }
}
