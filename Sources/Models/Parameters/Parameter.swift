// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

/// How the optimizer treats a weight.
package enum ParameterGroup: Sendable {
  /// At the learning rate; matrices decay, vectors do not.
  case ordinary
  /// At the learning rate times `train.recurrence-rate`, and never decaying: what sets the poles
  /// and time steps of a recurrence.
  case recurrence
  /// Not trained: saved with the weights, and only the model itself may change it.
  case buffer
}

/// One weight of a model: a named place in the arena.
package final class Parameter {
  /// The path of the weight, as checkpoints name it.
  package let name: String
  /// Row-major; linear maps are [outputs, inputs].
  package let shape: [Int]
  /// How the optimizer treats it.
  package let group: ParameterGroup
  /// Whether weight decay applies: to matrices, not to vectors.
  package var decays: Bool { group == .ordinary && shape.count > 1 }
  /// Whether it serves the training only, and is no part of the model that is saved.
  package let isCompanion: Bool
  let initializer: Initializer
  let offset: Int
  private unowned let arena: Parameters

  init(
    _ name: String, _ shape: [Int], _ initializer: Initializer, _ group: ParameterGroup,
    isCompanion: Bool, offset: Int, arena: Parameters
  ) {
    self.name = name
    self.shape = shape
    self.initializer = initializer
    self.offset = offset
    self.arena = arena
    self.group = group
    self.isCompanion = isCompanion
  }

  /// The number of values.
  package var count: Int { shape.reduce(1, *) }
  /// The places of its values in the arena.
  package var range: Range<Int> { offset..<offset + count }
  /// The values, as operations take them.
  package var tensor: Tensor { arena.tensor(of: self) }
  /// Changes the values of a buffer.
  ///
  /// - Precondition: it is a buffer, and there are ``count`` values.
  func replace(with values: [Float]) {
    precondition(
      group == .buffer && values.count == count,
      "\(name): \(values.count) values for a \(group) weight of \(count)")
    arena.values.fill(range, values)
  }

  /// The values, copied out.
  package var values: [Float] { arena.values.values(range) }

  /// A draw of the first values: for 0 those that it began with, for every other number values of
  /// its own, which depend on the model's seed and the number alone.
  func draw(_ number: Int) -> [Float] { arena.draw(self, number: number) }
}
