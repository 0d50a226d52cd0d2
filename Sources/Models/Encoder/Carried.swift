// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// Names a tensor that the layers of a variant hand on beside their rows: an empty type, declared
/// where it is used.
protocol CarriedKey {}

/// The tensors that layers hand on to each other within a forward pass.
final class Carried {
  private var tensors: [ObjectIdentifier: Tensor] = [:]
  /// The keys in the order in which they came.
  private(set) var keys: [ObjectIdentifier] = []

  /// Nothing.
  init() {}

  /// - Parameter keys: of the tensors, in their order.
  init(_ keys: [ObjectIdentifier], _ tensors: [Tensor]) {
    replace(keys, tensors)
  }

  /// Takes over what layers have left in another place.
  func replace(_ keys: [ObjectIdentifier], _ tensors: [Tensor]) {
    self.keys = keys
    self.tensors = Dictionary(uniqueKeysWithValues: zip(keys, tensors))
  }

  /// The tensors, in the order of their keys.
  var all: [Tensor] { keys.compactMap { tensors[$0] } }

  /// What the layer before left, nil in the first one.
  subscript<Key: CarriedKey>(key: Key.Type) -> Tensor? {
    get { tensors[ObjectIdentifier(key)] }
    set {
      let id = ObjectIdentifier(key)
      if tensors[id] == nil && newValue != nil { keys.append(id) }
      tensors[id] = newValue
    }
  }
}
