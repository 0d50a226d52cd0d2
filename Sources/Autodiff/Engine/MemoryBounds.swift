// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The floats that kernels may touch, in builds with assertions: those of buffers that are lent out, as
/// many as were asked for.
///
/// ``BufferPool`` and ``Workspace`` announce memory and what they lend of it; a kernel that reads or
/// writes past what it was lent, or after it gave it back, fails an assertion. Memory that was never
/// announced (arrays, the stack) is not checked. Every function returns true, to be called inside
/// `assert`, so that other builds do nothing at all.
enum MemoryBounds {
  private struct Region {
    let addresses: Range<UInt>
    /// What is lent out, in ascending order.
    var lent: [Range<UInt>] = []
  }

  /// In ascending order.
  private static let regions = Mutex<[Region]>([])

  /// Announces memory, none of which is lent out.
  static func add(_ base: UnsafeRawPointer, bytes: Int) -> Bool {
    let addresses = range(base, bytes)
    return regions.withLock { regions in
      let index = firstIndex(in: regions) { $0.addresses.lowerBound > addresses.lowerBound }
      regions.insert(Region(addresses: addresses), at: index)
      return true
    }
  }

  /// Forgets memory before it goes back to the system.
  static func remove(_ base: UnsafeRawPointer) -> Bool {
    withRegion(of: base) { regions, index in regions.remove(at: index) }
  }

  /// Lends out a part of announced memory.
  static func lend(_ base: UnsafeRawPointer, bytes: Int) -> Bool {
    let addresses = range(base, bytes)
    return withRegion(of: base) { regions, index in
      let next = firstIndex(in: regions[index].lent) { $0.lowerBound > addresses.lowerBound }
      regions[index].lent.insert(addresses, at: next)
    }
  }

  /// Takes back one part.
  static func takeBack(_ base: UnsafeRawPointer, bytes: Int) -> Bool {
    let addresses = range(base, bytes)
    return withRegion(of: base) { regions, index in
      regions[index].lent.removeAll { $0 == addresses }
    }
  }

  /// Takes back what was lent out from an address on.
  static func takeBack(from base: UnsafeRawPointer) -> Bool {
    let first = UInt(bitPattern: base)
    return withRegion(of: base) { regions, index in
      regions[index].lent.removeAll { $0.lowerBound >= first }
    }
  }

  /// Whether `count` floats may be touched.
  static func allows(_ base: UnsafePointer<Float>, count: Int) -> Bool {
    let addresses = range(UnsafeRawPointer(base), count * MemoryLayout<Float>.stride)
    return regions.withLock { regions in
      guard let index = index(of: addresses.lowerBound, in: regions) else { return true }
      let lent = regions[index].lent
      let next = firstIndex(in: lent) { $0.lowerBound > addresses.lowerBound }
      return next > 0 && addresses.upperBound <= lent[next - 1].upperBound
    }
  }

  private static func range(_ base: UnsafeRawPointer, _ bytes: Int) -> Range<UInt> {
    UInt(bitPattern: base)..<UInt(bitPattern: base) + UInt(bytes)
  }

  private static func withRegion(
    of base: UnsafeRawPointer, _ body: (inout [Region], Int) -> Void
  ) -> Bool {
    regions.withLock { regions in
      if let index = index(of: UInt(bitPattern: base), in: regions) { body(&regions, index) }
      return true
    }
  }

  private static func index(of address: UInt, in regions: [Region]) -> Int? {
    let next = firstIndex(in: regions) { $0.addresses.lowerBound > address }
    return next > 0 && address < regions[next - 1].addresses.upperBound ? next - 1 : nil
  }

  /// The first element from which on a condition holds, by bisection.
  private static func firstIndex<Element>(
    in elements: [Element], where holds: (Element) -> Bool
  ) -> Int {
    var (low, high) = (0, elements.count)
    while low < high {
      let middle = (low + high) / 2
      if holds(elements[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
