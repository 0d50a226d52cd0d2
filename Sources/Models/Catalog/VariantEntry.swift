// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation

/// One variant: what users see of it, and how to make it.
package struct VariantEntry: Sendable {
  /// What users see.
  package let about: VariantDescription
  /// The name on the command line.
  package var name: String { about.name }
  /// The variant's own settings, in the order of their names.
  package let options: [SettingDeclaration]
  private let check: @Sendable (MixerSize, [String: Setting]) throws -> Void
  private let idle: @Sendable ([String: Setting]) throws -> [String: String]
  let isCausal: @Sendable ([String: Setting]) throws -> Bool
  private let build: @Sendable ([String: Setting]) throws -> Parts

  /// What makes the two halves of a block, and what follows the last one.
  package struct Parts {
    package let mixer: (MixerSize, ParameterScope) -> any Mixer
    let feedForward: (MixerSize, ParameterScope) -> any PositionwiseLayer
    let finish: (Tensor, ForwardContext) -> Tensor
  }

  init<M: Mixer>(_ type: M.Type) {
    about = M.about
    let name = about.name
    options = M.Options.declarations.sorted { $0.name < $1.name }
    check = { size, settings in
      try VariantEntry.read(M.Options.self, name, settings).validate(size)
    }
    idle = { try VariantEntry.read(M.Options.self, name, $0).idle }
    isCausal = { try VariantEntry.read(M.Options.self, name, $0).isCausal }
    build = { settings in
      let options = try VariantEntry.read(M.Options.self, name, settings)
      return Parts(
        mixer: { M($0, options, $1) }, feedForward: { M.feedForward($0, options, $1) },
        finish: { M.finish($0, $1) })
    }
  }

  /// What can be set for a model of this variant: the settings of all, but those that it declares itself.
  package var settings: [SettingDeclaration] {
    let own = Set(options.map(\.key))
    return ModelSettings.declarations.filter { !own.contains($0.key) } + options
  }

  func validate(_ configuration: ModelConfiguration) throws {
    for block in try configuration.blockShapes().blocks {
      try check(configuration.mixerSize(block), configuration.options)
    }
  }

  /// The keys of `model` that have no effect on this variant, each with the reason.
  func idle(_ configuration: ModelConfiguration) throws -> [String: String] {
    var reasons = try idle(configuration.options)
    if !about.parts.contains(.heads) {
      for key in ["heads", "head-width", "kept-heads"] { reasons[key] = "\(name) has no heads" }
    }
    if !about.parts.contains(.projections) {
      for key in ["tie-qk", "tie-kv"] where !options.contains(where: { $0.name == key }) {
        reasons[key] = "\(name) has no projections of its own of queries, keys and values"
      }
    }
    // A rate of 0 says what is so.
    if !about.parts.contains(.droppedWeights) && configuration.attentionDropout > 0 {
      reasons["attention-dropout"] = "\(name) drops no attention weights"
    }
    return reasons
  }

  /// What makes the layers of a model.
  package func parts(_ configuration: ModelConfiguration) throws -> Parts {
    try build(configuration.options)
  }

  /// Options not given keep their defaults.
  private static func read<O: VariantOptions>(
    _ type: O.Type, _ name: String, _ values: [String: Setting]
  ) throws -> O {
    let known = O.declarations.map(\.name).sorted()
    for key in values.keys.sorted() where !known.contains(key) {
      throw UserError(
        .configuration, "model.\(key) is not a setting of \(name)",
        remedy: "its settings: \(known.map { "model.\($0)" }.joined(separator: ", "))")
    }
    return try O(values: values)
  }
}
