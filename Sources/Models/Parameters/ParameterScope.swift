// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

/// A place in the naming tree under which a layer makes its weights.
package struct ParameterScope {
  let arena: Parameters
  /// The names of the layers above, joined by dots.
  package let path: String
  /// Which linear maps are products of narrow ones.
  let ranks: MapRanks

  /// The scope of a part of this layer.
  package func scope(_ name: String) -> ParameterScope {
    ParameterScope(arena: arena, path: joined(name), ranks: ranks)
  }

  /// The same scope with other ranks.
  func with(_ ranks: MapRanks) -> ParameterScope {
    ParameterScope(arena: arena, path: path, ranks: ranks)
  }

  /// Makes a weight of this layer.
  package func weight(
    _ name: String, _ shape: [Int], _ initializer: Initializer,
    group: ParameterGroup = .ordinary
  ) -> Parameter {
    arena.weight(joined(name), shape, initializer, group, shared: false)
  }

  /// The random numbers that a weight of this layer draws its first values from, for another weight
  /// whose first values follow from them.
  package func stream(_ name: String) -> RandomStream { arena.stream(joined(name)) }

  /// A weight of the whole model, which every layer that asks for it uses.
  package func shared(_ name: String, _ shape: [Int], _ initializer: Initializer) -> Parameter {
    arena.weight(name, shape, initializer, .ordinary, shared: true)
  }

  private func joined(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
}
