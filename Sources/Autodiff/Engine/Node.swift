// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// One recorded operation: what it read, and how to turn the gradient of its result into theirs.
final class Node {
  private static let counter = Atomic<Int>(0)
  /// Nodes alive now; zero operations are alive after a step.
  static let alive = Atomic<Int>(0)

  let id: Int
  let name: String
  private(set) var inputs: [Node]
  private var pullback: ((Storage) -> Void)?
  private let saved: [WeakStorage]
  private let elements: Int
  /// Elements of the tensor whose gradient this is.
  var elementCount: Int { elements }
  /// What has been contributed so far.
  var gradient: Storage? {
    fillMissing()
    return buffer
  }
  private var buffer: Storage?
  /// Whether ``gradient`` holds a contribution; the first one is stored, later ones are added.
  private(set) var hasGradient = false
  /// Columns of ``buffer`` that no contribution has reached, where others have been.
  private var missing: MissingColumns?
  let isLeaf: Bool

  /// - Parameter saved: large buffers that the pullback may read.
  init(
    _ name: String, inputs: [Node], saving saved: [Storage] = [], elements: Int,
    pullback: @escaping (Storage) -> Void
  ) {
    id = Node.counter.add(1, ordering: .relaxed).newValue
    self.name = name
    self.inputs = inputs
    self.saved = saved.map { WeakStorage($0) }
    self.elements = elements
    self.pullback = pullback
    isLeaf = false
    Node.alive.add(1, ordering: .relaxed)
  }

  /// A tensor that gradients stop at, with a fixed place for them if one is given.
  init(leaf name: String, elements: Int, gradient: Storage? = nil) {
    id = Node.counter.add(1, ordering: .relaxed).newValue
    self.name = name
    inputs = []
    saved = []
    self.elements = elements
    buffer = gradient
    isLeaf = true
  }

  deinit { if !isLeaf { Node.alive.subtract(1, ordering: .relaxed) } }

  /// The large buffers that the pullback may read and that something keeps alive.
  var savedStorages: [Storage] { saved.compactMap(\.storage) }

  /// Where a pullback writes its contribution, and whether it adds to what is there.
  func target() -> GradientTarget {
    fillMissing()
    defer { hasGradient = true }
    return GradientTarget(pointer: place().pointer, accumulate: hasGradient)
  }

  /// The same for some columns of `width`, which are stored where nothing has reached them, whatever
  /// has reached others.
  func target(columns: Range<Int>, of width: Int) -> GradientTarget {
    let pointer = place().pointer
    if !hasGradient { missing = MissingColumns(width) }
    hasGradient = true
    let isFirst = missing?.remove(columns) ?? false
    // A leaf's gradient is read where it lies.
    if isLeaf || (!isFirst && missing?.overlap(columns) ?? false) { fillMissing() }
    return GradientTarget(pointer: pointer, accumulate: !isFirst)
  }

  private func place() -> Storage {
    let storage = buffer ?? Storage(count: elements)
    buffer = storage
    return storage
  }

  private func fillMissing() {
    if let missing, let buffer { missing.clear(in: buffer) }
    missing = nil
  }

  /// Contributes a whole buffer, taking it over if it is the first contribution.
  ///
  /// - Precondition: the caller does not read the buffer afterwards.
  func accept(_ contribution: Storage, count: Int) {
    if !hasGradient && !isLeaf {
      buffer = contribution
      hasGradient = true
      return
    }
    let target = target()
    combine(contribution.pointer, count: count, into: target)
  }

  /// Forgets the gradient, so that the next contribution is stored.
  func clearGradient() {
    hasGradient = false
    missing = nil
  }

  /// Gives the gradient up to its user and lets go of it and of everything saved.
  func run() {
    guard let pullback, let dy = gradient, hasGradient else { return release() }
    // Here on all threads, and not by the first of them that asks.
    for storage in savedStorages { _ = storage.pointer }
    release()
    pullback(dy)
  }

  func release() {
    pullback = nil
    inputs = []
    buffer = nil
    missing = nil
    hasGradient = false
  }
}

/// A buffer for as long as others keep it.
private struct WeakStorage {
  weak var storage: Storage?

  init(_ storage: Storage) { self.storage = storage }
}

/// Columns of a matrix that nothing has been stored in.
private struct MissingColumns {
  private let width: Int
  private var ranges: [Range<Int>]

  /// All of them.
  init(_ width: Int) {
    self.width = width
    ranges = [0..<width]
  }

  /// Whether some of the columns are missing.
  func overlap(_ columns: Range<Int>) -> Bool { ranges.contains { $0.overlaps(columns) } }

  /// Takes the columns out if all of them are missing, and says whether they were.
  mutating func remove(_ columns: Range<Int>) -> Bool {
    guard
      let index = ranges.firstIndex(where: {
        $0.lowerBound <= columns.lowerBound && columns.upperBound <= $0.upperBound
      })
    else { return false }
    let whole = ranges.remove(at: index)
    ranges += [
      whole.lowerBound..<columns.lowerBound, columns.upperBound..<whole.upperBound,
    ].filter { !$0.isEmpty }
    return true
  }

  /// Sets them to zero.
  func clear(in storage: Storage) {
    for range in ranges {
      clearColumns(range, of: width, in: storage.pointer, rows: storage.count / width)
    }
  }
}

/// Sets some columns of a matrix of `width` columns to zero.
func clearColumns(
  _ columns: Range<Int>, of width: Int, in matrix: UnsafeMutablePointer<Float>, rows: Int
) {
  parallel(rows, by: tileRows) { rows, _ in
    for row in rows {
      (matrix + row * width + columns.lowerBound).update(repeating: 0, count: columns.count)
    }
  }
}
