// SPDX-License-Identifier: Apache-2.0

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
  ///   - saved: large buffers that the pullback reads beside its inputs and that may be rounded until then,
  ///     see ``roundSaved(from:keeping:)``; others it keeps as they are.
  ///   - pullback: gets the gradient of the result, which it may overwrite. It must capture inputs
  ///     and saved buffers, never the result, or the tape would keep itself alive.
  func recorded(
    _ name: String, from inputs: Tensor?..., saving saved: [Storage] = [],
    pullback: @escaping (Storage) -> Void
  ) -> Tensor {
    recorded(name, from: inputs, saving: saved, pullback: pullback)
  }

  /// As above, for a number of inputs that is not known in advance.
  func recorded(
    _ name: String, from inputs: [Tensor?], saving saved: [Storage] = [],
    pullback: @escaping (Storage) -> Void
  ) -> Tensor {
    FiniteCheck.shared.inspect(self, after: name)
    let nodes = inputs.compactMap { $0?.node }
    if nodes.isEmpty { return self }
    let node = Node(
      name, inputs: nodes, saving: Tensor.storages(of: inputs) + saved, elements: storage.count
    ) { dy in
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
    let joint = Node(name, inputs: nodes, saving: storages(of: inputs), elements: 1) { _ in
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

  /// The buffers of results of operations; those of parameters and constants are not the tape's to change.
  private static func storages(of inputs: [Tensor?]) -> [Storage] {
    inputs.compactMap { input in input?.node.flatMap { $0.isLeaf ? nil : input?.storage } }
  }

  /// Rounds to bfloat16 what the operations between `input` and this value keep for the backward pass.
  ///
  /// The values themselves are exact: the forward pass has read them. Small buffers (statistics, landmarks,
  /// poles) stay as they are.
  ///
  /// - Parameters:
  ///   - input: what the operations began with, an operation's result; it is rounded too.
  ///   - kept: what the forward pass will read again, beside this value.
  package func roundSaved(from input: Tensor, keeping kept: [Tensor] = []) {
    guard let node, let first = input.node else { return }
    let exact = Set(([self] + kept).map { ObjectIdentifier($0.storage) })
    for node in Tensor.reachable(from: [node], upTo: [first]) {
      for storage in node.savedStorages
      where storage.count >= input.storage.count && !exact.contains(ObjectIdentifier(storage)) {
        storage.round()
      }
    }
  }

  /// Runs the tape backwards from this scalar, filling the gradients of all leaves it depends on.
  ///
  /// Every node is visited once, later operations first; what it saved is released as soon as it
  /// has run, so the tape cannot be run twice.
  ///
  /// - Precondition: the tensor has one element.
  /// - Complexity: the operations' own cost, plus O(n log n) for n recorded operations.
  package func backward() {
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
    Tensor.backward([self], from: [gradient], upTo: outer)
  }

  /// Runs the tape backwards from several tensors' gradients at once, as ``backward(from:upTo:)``.
  static func backward(_ results: [Tensor], from gradients: [Storage], upTo outer: [Node] = []) {
    for (result, gradient) in zip(results, gradients) {
      result.node?.accept(gradient, count: result.count)
    }
    for node in reachable(from: results.compactMap(\.node), upTo: outer) { node.run() }
  }

  /// The names of the recorded operations that this value depends on.
  package var operations: Set<String> {
    guard let node else { return [] }
    return Set(Tensor.reachable(from: [node], upTo: []).map(\.name))
  }

  private static func reachable(from roots: [Node], upTo outer: [Node]) -> [Node] {
    var found = Set(outer.map(\.id))
    var pending = roots.filter { found.insert($0.id).inserted }
    var nodes: [Node] = []
    while let node = pending.popLast() {
      if !node.isLeaf { nodes.append(node) }
      for input in node.inputs where found.insert(input.id).inserted { pending.append(input) }
    }
    return nodes.sorted { $0.id > $1.id }
  }
}

/// The number of recorded operations that are still alive: zero after a finished step.
package var liveOperations: Int { Node.alive.load(ordering: .relaxed) }
