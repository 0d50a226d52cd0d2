// SPDX-License-Identifier: Apache-2.0

/// One buffer of floats, which goes back to its pool when nothing refers to it.
package final class Storage: @unchecked Sendable {
  let pointer: UnsafeMutablePointer<Float>
  /// Floats allocated.
  package let count: Int
  private let owner: Storage?

  /// Takes `count` floats from the pool; their content is whatever was there.
  init(count: Int) {
    let bytes = max(count, 1) * MemoryLayout<Float>.stride
    pointer = BufferPool.shared.acquire(bytes: bytes)
      .bindMemory(to: Float.self, capacity: max(count, 1))
    self.count = count
    owner = nil
  }

  /// Takes room for `count` doubles, which ``doubles`` gives.
  convenience init(doubles count: Int) {
    self.init(count: count * (MemoryLayout<Double>.stride / MemoryLayout<Float>.stride))
    UnsafeMutableRawPointer(pointer).bindMemory(to: Double.self, capacity: count)
  }

  /// The memory of a buffer that was taken for doubles.
  var doubles: UnsafeMutablePointer<Double> {
    UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: Double.self)
  }

  /// A part of another buffer, which it keeps alive.
  init(slice owner: Storage, from offset: Int, count: Int) {
    precondition(offset >= 0 && offset + count <= owner.count, "storage: slice out of range")
    pointer = owner.pointer + offset
    self.count = count
    self.owner = owner
  }

  deinit {
    guard owner == nil else { return }
    BufferPool.shared.release(
      UnsafeMutableRawPointer(pointer), bytes: max(count, 1) * MemoryLayout<Float>.stride)
  }

  /// Sets every float to zero.
  func clear() { pointer.update(repeating: 0, count: count) }
}
