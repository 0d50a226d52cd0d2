// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Models

/// What a simple choice would leave of a model's bytes; it follows from the shapes of the weights alone.
package struct SizeChoice: Encodable {
  /// The flags of `lra compress`, or the setting of another training.
  package let choice: String
  /// Whether the model has to be trained anew for it.
  package let needsTraining: Bool
  /// Bytes of the weights.
  package let bytes: Int

  /// The choices that there are for a model.
  ///
  /// - Throws: `UserError` where the model's own settings are not valid.
  package static func all(for model: Classifier) throws -> [SizeChoice] {
    var choices: [SizeChoice] = []
    func add(
      _ choice: String, training: Bool = false, _ change: (inout ModelConfiguration) throws -> Void
    ) {
      var configuration = model.configuration
      // What does not go with the model's other settings is no choice.
      guard (try? change(&configuration)) != nil,
        let smaller = try? Classifier(configuration, seed: 0),
        smaller.weightBytes < model.weightBytes
      else { return }
      choices.append(
        SizeChoice(choice: choice, needsTraining: training, bytes: smaller.weightBytes))
    }
    let shapes = try model.configuration.blockShapes()
    let units = try model.prunableUnits()
    if !model.configuration.parametersAreTied {
      if !units.heads.isEmpty {
        add("--prune-heads 50%") { shapes.halved(heads: true).note(in: &$0.settings) }
      }
      if !units.hidden.isEmpty {
        add("--prune-hidden 50%") { shapes.halved(heads: false).note(in: &$0.settings) }
      }
      if let last = shapes.blocks.last, shapes.blocks.count > 1 {
        add("--drop-layers \(last.number)") {
          BlockShapes(shapes.blocks.dropLast()).note(in: &$0.settings)
        }
      }
    }
    let maps = model.denseMaps.map { (map: $0, energies: [Double]()) }
    add("--factorise share=0.4") {
      let ranks = try RankRule.share(0.4).ranks(maps, others: 0)
      $0.settings.ranks = ranks.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
    }
    add("--quantise int8 --weights-only") { $0.settings.quantised = .weights }
    add("model.positions=fixed", training: true) { $0.settings.positions = .fixed }
    add("model.position-rank=8", training: true) { $0.settings.positionRank = 8 }
    add("model.tie-layers=all", training: true) { $0.settings.tieLayers = .all }
    if model.configuration.options["sharing"] != nil || model.configuration.name == "linformer" {
      add("model.sharing=layerwise", training: true) { $0.options["sharing"] = "layerwise" }
    }
    return choices
  }
}

extension BlockShapes {
  /// Half of the heads, or of the inner columns, of every block; at least one.
  fileprivate func halved(heads: Bool) -> BlockShapes {
    BlockShapes(
      blocks.map { block in
        var block = block
        if heads {
          block.heads = Array(block.heads.prefix(max(1, block.heads.count / 2)))
        } else {
          block.inner = max(1, block.inner / 2)
        }
        return block
      })
  }
}
