// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A thread's scratch memory: handed out from the front, taken back from the end.
package final class Workspace: @unchecked Sendable {
  private var base: UnsafeMutablePointer<Float>
  private var capacity = 1 << 16
  private var used = 0
  private var outgrown: [UnsafeMutablePointer<Float>] = []
  /// Floats that are handed out, those of outgrown memory among them.
  private var lent = 0
  private var mostLent = 0

  /// The most bytes that were handed out at once since ``resetPeak()``; it depends on the pieces of
  /// work alone, not on how the memory grew.
  var peak: Int { mostLent * MemoryLayout<Float>.stride }

  init() { base = Workspace.allocate(capacity) }

  deinit {
    reset()
    Workspace.free(base)
  }

  /// `count` floats and what completes their last vector, 64-byte aligned, not cleared, valid until the
  /// piece ends.
  func floats(_ count: Int) -> UnsafeMutablePointer<Float> {
    let rounded = wholeVectors(count)
    if used + rounded > capacity {
      outgrown.append(base)
      capacity = 2 * (used + rounded)
      base = Workspace.allocate(capacity)
      used = 0
    }
    defer { used += rounded }
    lent += rounded
    mostLent = max(mostLent, lent)
    assert(MemoryBounds.lend(base + used, bytes: rounded * MemoryLayout<Float>.stride))
    return base + used
  }

  /// Room for `inner` × `columns` in panels, as ``floats(_:)``.
  func panels(
    _ inner: Int, _ columns: Int, precision: Precision = .fp32
  ) -> UnsafeMutablePointer<Float> {
    floats(Panels.floatCount(inner: inner, columns: columns, precision: precision))
  }

  /// `count` zeros, as ``floats(_:)``.
  func zeros(_ count: Int) -> UnsafeMutablePointer<Float> {
    let memory = floats(count)
    memory.update(repeating: 0, count: count)
    return memory
  }

  /// Room for `count` doubles, as ``floats(_:)``.
  func doubles(_ count: Int) -> UnsafeMutablePointer<Double> {
    UnsafeMutableRawPointer(floats(2 * count)).bindMemory(to: Double.self, capacity: count)
  }

  /// `count` zeros in double precision, as ``floats(_:)``.
  func zeroDoubles(_ count: Int) -> UnsafeMutablePointer<Double> {
    let memory = doubles(count)
    memory.update(repeating: 0, count: count)
    return memory
  }

  /// How far memory is handed out.
  struct Mark {
    fileprivate let base: UnsafeMutablePointer<Float>
    fileprivate let used: Int
    fileprivate let lent: Int
  }

  var mark: Mark { Mark(base: base, used: used, lent: lent) }

  /// Takes back what was handed out since a mark.
  func rewind(to mark: Mark) {
    used = mark.base == base ? mark.used : 0
    lent = mark.lent
    assert(MemoryBounds.takeBack(from: base + used))
  }

  /// Starts a new measurement of the peak, while no piece of work runs.
  func resetPeak() { (lent, mostLent) = (0, 0) }

  func reset() {
    used = 0
    lent = 0
    assert(MemoryBounds.takeBack(from: base))
    outgrown.forEach(Workspace.free)
    outgrown.removeAll(keepingCapacity: true)
  }

  private static func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
    let bytes = count * MemoryLayout<Float>.stride
    let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    assert(MemoryBounds.add(memory, bytes: bytes))
    return memory.bindMemory(to: Float.self, capacity: count)
  }

  private static func free(_ memory: UnsafeMutablePointer<Float>) {
    assert(MemoryBounds.remove(memory))
    memory.deallocate()
  }
}
