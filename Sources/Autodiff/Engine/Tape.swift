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

  init(_ name: String, inputs: [Node], elements: Int, pullback: @escaping (Storage) -> Void) {
    id = Node.counter.add(1, ordering: .relaxed).newValue
    self.name = name
    self.inputs = inputs
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
    self.elements = elements
    buffer = gradient
    isLeaf = true
  }

  deinit { if !isLeaf { Node.alive.subtract(1, ordering: .relaxed) } }

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
  /// The caller must not read the buffer afterwards.
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
  fileprivate func run() {
    guard let pullback, let dy = gradient, hasGradient else { return release() }
    release()
    pullback(dy)
  }

  fileprivate func release() {
    pullback = nil
    inputs = []
    buffer = nil
    missing = nil
    hasGradient = false
  }
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

/// A place for a gradient: the first contribution is stored, later ones are added.
struct GradientTarget {
  let pointer: UnsafeMutablePointer<Float>
  let accumulate: Bool
}

/// The gradients of the results of one operation, until all are there.
private final class JoinedGradients {
  private let counts: [Int]
  private var storages: [Storage?]

  init(_ counts: [Int]) {
    self.counts = counts
    storages = Array(repeating: nil, count: counts.count)
  }

  func keep(_ gradient: Storage, of index: Int) { storages[index] = gradient }

  /// Those that have come, and zeros.
  var all: [Storage] { zip(storages, counts).map { $0 ?? zeros($1) } }

  private func zeros(_ count: Int) -> Storage {
    let storage = Storage(count: count)
    storage.clear()
    return storage
  }
}

extension Tensor {
  /// Places the result of an operation on the tape, if gradients flow to any of its inputs.
  ///
  /// - Parameters:
  ///   - name: the operation, as the profile prints it.
  ///   - inputs: everything the pullback contributes to.
  ///   - pullback: gets the gradient of the result, which it may overwrite. It must capture inputs
  ///     and saved buffers, never the result, or the tape would keep itself alive.
  func recorded(
    _ name: String, from inputs: Tensor?..., pullback: @escaping (Storage) -> Void
  ) -> Tensor {
    recorded(name, from: inputs, pullback: pullback)
  }

  /// As above, for a number of inputs that is not known in advance.
  func recorded(
    _ name: String, from inputs: [Tensor?], pullback: @escaping (Storage) -> Void
  ) -> Tensor {
    FiniteCheck.shared.inspect(self, after: name)
    let nodes = inputs.compactMap { $0?.node }
    if nodes.isEmpty { return self }
    let node = Node(name, inputs: nodes, elements: storage.count) { dy in
      pullback(dy)
      FiniteCheck.shared.inspect(nodes, after: "the gradient of \(name)")
    }
    return Tensor(shape: shape, storage: storage, node: node)
  }

  /// Places several results of one operation on the tape, as above.
  ///
  /// - Parameter pullback: gets the gradients of all results, zeros for those that nothing depends on.
  static func recorded(
    _ name: String, _ results: [Tensor], from inputs: [Tensor?],
    pullback: @escaping ([Storage]) -> Void
  ) -> [Tensor] {
    for result in results { FiniteCheck.shared.inspect(result, after: name) }
    let nodes = inputs.compactMap { $0?.node }
    if nodes.isEmpty { return results }
    let gradients = JoinedGradients(results.map(\.storage.count))
    let joint = Node(name, inputs: nodes, elements: 1) { _ in
      pullback(gradients.all)
      FiniteCheck.shared.inspect(nodes, after: "the gradient of \(name)")
    }
    return results.enumerated().map { index, result in
      let node = Node(name, inputs: [joint], elements: result.storage.count) { dy in
        gradients.keep(dy, of: index)
        _ = joint.target()
      }
      return Tensor(shape: result.shape, storage: result.storage, node: node)
    }
  }

  /// Runs the tape backwards from this scalar, filling the gradients of all leaves it depends on.
  ///
  /// Every node is visited once, later operations first; what it saved is released as soon as it
  /// has run, so the tape cannot be run twice.
  ///
  /// - Precondition: the tensor has one element.
  /// - Complexity: the operations' own cost, plus O(n log n) for n recorded operations.
  public func backward() {
    precondition(count == 1, "backward: needs a scalar, not shape \(shape)")
    let seed = Storage(count: storage.count)
    seed.pointer[0] = 1
    backward(from: seed)
  }

  /// Runs the tape backwards from the tensor's gradient, which it takes over.
  ///
  /// - Parameter outer: nodes of another tape, whose pullback this is part of: they collect gradients,
  ///   and the other tape runs them.
  func backward(from gradient: Storage, upTo outer: [Node] = []) {
    guard let node else { return }
    node.accept(gradient, count: count)
    for node in reachable(from: node, upTo: outer) { node.run() }
  }

  private func reachable(from root: Node, upTo outer: [Node]) -> [Node] {
    var found = Set(outer.map(\.id) + [root.id])
    var pending = [root]
    var nodes: [Node] = []
    while let node = pending.popLast() {
      if !node.isLeaf { nodes.append(node) }
      for input in node.inputs where found.insert(input.id).inserted { pending.append(input) }
    }
    return nodes.sorted { $0.id > $1.id }
  }
}

/// The number of recorded operations that are still alive: zero after a finished step.
public var liveOperations: Int { Node.alive.load(ordering: .relaxed) }

/// Stores or adds `count` floats.
func combine(_ source: UnsafePointer<Float>, count: Int, into target: GradientTarget) {
  let block = 1 << 15
  parallel(count, by: block) { range, _ in
    let from = source + range.lowerBound
    let to = target.pointer + range.lowerBound
    if target.accumulate {
      for i in 0..<range.count { to[i] += from[i] }
    } else {
      to.update(from: from, count: range.count)
    }
  }
}
