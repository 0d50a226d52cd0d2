// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

/// Units of branches that a model can do without: heads of mixers and inner columns of feed-forward
/// networks, by the branch's name, as `blocks.0.mixer`.
package struct PrunableUnits: Sendable {
  /// One branch.
  package struct Branch: Sendable {
    /// Its name.
    package let place: String
    /// Its units.
    package let count: Int
    /// How many of them must stay.
    package let least: Int
  }

  /// The branches with heads.
  package var heads: [Branch] = []
  /// The feed-forward networks.
  package var hidden: [Branch] = []
}

extension Classifier {
  /// The units that could be pruned; no heads where there are none, or where they cannot go singly.
  package func prunableUnits() throws -> PrunableUnits {
    var units = PrunableUnits()
    // Half a reversible block cannot be left out, and a bias would be left of a branch.
    let isReversible = configuration.options["reversible"] == .boolean(true)
    let canSpareHeads = configuration.hasHeads && configuration.name != Luna.about.name
    for block in try configuration.blockShapes().blocks {
      let (mixer, network) = Self.places(block)
      if canSpareHeads, !block.heads.isEmpty {
        let keepsOne = isReversible || parameters["\(mixer).output.bias"] != nil
        units.heads.append(
          .init(place: mixer, count: block.heads.count, least: keepsOne ? 1 : 0))
      }
      if block.inner > 0 {
        units.hidden.append(.init(place: network, count: block.inner, least: 1))
      }
    }
    return units
  }

  /// A smaller dense model with the logits that this one has without some of its parts.
  ///
  /// Of a unit's weights the rows in the maps to it go, and the columns in the map behind it. Heads keep
  /// their width, so the scale of their logits stays.
  ///
  /// - Parameters:
  ///   - masks: whether each unit of a branch stays; a branch without one is whole.
  ///   - layers: the numbers of the blocks that go.
  /// - Throws: `UserError` where the variant cannot do without them.
  package func pruned(masks: [String: [Bool]], droppingLayers layers: Set<Int>) throws -> Classifier
  {
    let shapes = try configuration.blockShapes()
    let left = shapes.blocks.filter { !layers.contains($0.number) }.map { block in
      let (mixer, network) = Self.places(block)
      return BlockShapes.Block(
        number: block.number, heads: masks[mixer].map { Self.kept(block.heads, $0) } ?? block.heads,
        inner: masks[network].map { $0.count { $0 } } ?? block.inner)
    }
    var smaller = configuration
    BlockShapes(left).note(in: &smaller.settings)
    smaller.settings.ranks = try configuration.mapRanks().filter { path, _ in
      left.contains { block in
        let (mixer, network) = Self.places(block)
        return path.hasPrefix(network + ".")
          || path.hasPrefix(mixer + ".") && !(block.heads.isEmpty && configuration.hasHeads)
      }
    }.text
    let result = try Classifier(smaller, seed: 0, precision: precision)
    for target in result.parameters.all {
      guard let source = parameters[target.name] else {
        preconditionFailure("pruned: no weight \(target.name)")
      }
      let mask = masks.first { target.name.hasPrefix($0.key + ".") }?.value
      result.parameters.values.fill(target.range, Self.slice(source, target.shape, mask))
    }
    return result
  }

  private static func places(_ block: BlockShapes.Block) -> (mixer: String, network: String) {
    ("blocks.\(block.number).mixer", "blocks.\(block.number).feed-forward")
  }

  private static func kept<Element>(_ all: [Element], _ mask: [Bool]) -> [Element] {
    zip(all, mask).filter(\.1).map(\.0)
  }

  /// A weight without the rows, or the columns, of the units that go.
  private static func slice(_ source: Parameter, _ shape: [Int], _ mask: [Bool]?) -> [Float] {
    let values = source.values
    guard shape != source.shape, let mask else { return values }
    let rows = source.shape[0]
    let columns = values.count / rows
    let units = mask.indices.filter { mask[$0] }
    var result: [Float] = []
    result.reserveCapacity(shape.reduce(1, *))
    if shape[0] != rows {
      let part = rows / mask.count * columns
      for unit in units { result += values[unit * part..<(unit + 1) * part] }
    } else {
      let part = columns / mask.count
      for row in 0..<rows {
        for unit in units {
          let start = row * columns + unit * part
          result += values[start..<start + part]
        }
      }
    }
    return result
  }
}

extension [String: Int] {
  /// Ranks of maps as `model.ranks` has them.
  var text: String {
    sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
  }
}
