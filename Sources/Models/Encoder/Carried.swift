// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// Names a tensor that the layers of a variant hand on beside their rows: an empty type, declared
/// where it is used.
protocol CarriedKey {}

/// The tensors that layers hand on to each other within a forward pass.
final class Carried {
  private var tensors: [ObjectIdentifier: Tensor] = [:]

  /// What the layer before left, nil in the first one.
  subscript<Key: CarriedKey>(key: Key.Type) -> Tensor? {
    get { tensors[ObjectIdentifier(key)] }
    set { tensors[ObjectIdentifier(key)] = newValue }
  }
}
