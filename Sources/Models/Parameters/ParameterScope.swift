// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

/// A place in the naming tree under which a layer makes its weights.
///
/// Blocks that share weights have one path, but each its own place.
package struct ParameterScope {
  let arena: Parameters
  /// The names of the weights' layers, joined by dots.
  package let path: String
  /// Where in the model the weights are used: the same as the path, unless layers share weights.
  let place: String
  /// Which linear maps are products of narrow ones.
  let ranks: MapRanks
  private let tiesNorms: Bool
  /// Whether its weights serve the training only.
  private let isCompanion: Bool

  /// The scope of the whole model.
  init(arena: Parameters, ranks: MapRanks) {
    self.init(arena: arena, path: "", place: "", ranks: ranks, tiesNorms: true)
  }

  /// A scope whose weights serve the training only.
  init(companionsIn arena: Parameters, path: String) {
    self.init(
      arena: arena, path: path, place: path, ranks: MapRanks { _ in nil }, tiesNorms: true,
      isCompanion: true)
  }

  private init(
    arena: Parameters, path: String, place: String, ranks: MapRanks, tiesNorms: Bool,
    isCompanion: Bool = false
  ) {
    self.arena = arena
    self.path = path
    self.place = place
    self.ranks = ranks
    self.tiesNorms = tiesNorms
    self.isCompanion = isCompanion
  }

  /// The scope of a part of this layer.
  package func scope(_ name: String) -> ParameterScope {
    ParameterScope(
      arena: arena, path: joined(name, to: path), place: joined(name, to: place), ranks: ranks,
      tiesNorms: tiesNorms, isCompanion: isCompanion)
  }

  /// The same scope with other ranks.
  func with(_ ranks: MapRanks) -> ParameterScope {
    ParameterScope(arena: arena, path: path, place: place, ranks: ranks, tiesNorms: tiesNorms)
  }

  /// The same place with weights that all layers with this path use.
  ///
  /// - Parameter norms: whether the norms are among them.
  func sharing(_ path: String, norms: Bool) -> ParameterScope {
    ParameterScope(arena: arena, path: path, place: place, ranks: ranks, tiesNorms: norms)
  }

  /// Where the norms of this layer have their weights.
  var norms: ParameterScope {
    tiesNorms
      ? self
      : ParameterScope(
        arena: arena, path: place, place: place, ranks: ranks, tiesNorms: true)
  }

  /// Makes a weight of this layer, or finds it where layers share it.
  package func weight(
    _ name: String, _ shape: [Int], _ initializer: Initializer,
    group: ParameterGroup = .ordinary
  ) -> Parameter {
    arena.weight(
      joined(name, to: path), shape, initializer, group, shared: path != place,
      isCompanion: isCompanion)
  }

  /// The random numbers that a weight of this layer draws its first values from, for another weight
  /// whose first values follow from them.
  package func stream(_ name: String) -> RandomStream { arena.stream(joined(name, to: path)) }

  /// A weight of the whole model, which every layer that asks for it uses.
  package func shared(_ name: String, _ shape: [Int], _ initializer: Initializer) -> Parameter {
    arena.weight(name, shape, initializer, .ordinary, shared: true)
  }

  private func joined(_ name: String, to path: String) -> String {
    path.isEmpty ? name : "\(path).\(name)"
  }
}
