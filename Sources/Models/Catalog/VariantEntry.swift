import Autodiff
import Base
import Foundation

/// One variant: what users see of it, and how to make it.
public struct VariantEntry: Sendable {
  /// What users see.
  public let about: VariantDescription
  /// The name on the command line.
  public var name: String { about.name }
  private let defaults: @Sendable () throws -> [String: Setting]
  private let check: @Sendable (MixerSize, [String: Setting]) throws -> Void
  private let idle: @Sendable ([String: Setting]) throws -> [String: String]
  private let build: @Sendable (MixerSize, [String: Setting]) throws -> Parts

  /// What makes the two halves of a block, and what follows the last one.
  package struct Parts {
    package let mixer: (ParameterScope) -> any Mixer
    let feedForward: (ParameterScope) -> any PositionwiseLayer
    let finish: (Tensor, ForwardContext) -> Tensor
  }

  init<M: Mixer>(_ type: M.Type) {
    about = M.about
    let name = about.name
    defaults = { try VariantEntry.defaults(M.Options.self) }
    check = { size, settings in
      try VariantEntry.decode(M.Options.self, name, settings).validate(size)
    }
    idle = { try VariantEntry.decode(M.Options.self, name, $0).idle }
    build = { size, settings in
      let options = try VariantEntry.decode(M.Options.self, name, settings)
      return Parts(
        mixer: { M(size, options, $0) }, feedForward: { M.feedForward(size, options, $0) },
        finish: { M.finish($0, $1) })
    }
  }

  /// The variant's own settings and their defaults.
  public func options() throws -> [String: Setting] { try defaults() }

  func validate(_ configuration: ModelConfiguration) throws {
    try check(configuration.mixerSize, configuration.options)
  }

  /// The keys of `model` that have no effect on this variant, each with the reason.
  func idle(_ configuration: ModelConfiguration) throws -> [String: String] {
    var reasons = try idle(configuration.options)
    if !about.parts.contains(.heads) {
      for key in ["heads", "head-width"] { reasons[key] = "\(name) has no heads" }
    }
    // A rate of 0 says what is so.
    if !about.parts.contains(.droppedWeights) && configuration.attentionDropout > 0 {
      reasons["attention-dropout"] = "\(name) drops no attention weights"
    }
    return reasons
  }

  /// What makes the layers of a model.
  package func parts(_ configuration: ModelConfiguration) throws -> Parts {
    try build(configuration.mixerSize, configuration.options)
  }

  /// The default of every option, of the kind that the option has.
  ///
  /// JSON writes the number 0.0 as 0; an option that also takes a fraction is a number.
  private static func defaults<O: VariantOptions>(_ type: O.Type) throws -> [String: Setting] {
    let all = try JSONDecoder().decode([String: Setting].self, from: JSONEncoder().encode(O()))
    let wholeNumbers = try all.compactMap { key, value -> (String, Setting)? in
      guard case .integer(let whole) = value else { return nil }
      let fraction = try JSONEncoder().encode(all.merging([key: 0.5]) { $1 })
      let takesFractions = (try? JSONDecoder().decode(O.self, from: fraction)) != nil
      return takesFractions ? (key, .number(Double(whole))) : nil
    }
    return all.merging(wholeNumbers) { $1 }
  }

  /// Options not given keep their defaults.
  private static func decode<O: VariantOptions>(
    _ type: O.Type, _ name: String, _ settings: [String: Setting]
  ) throws -> O {
    var all = try JSONDecoder().decode(
      [String: Setting].self, from: JSONEncoder().encode(O()))
    for (key, value) in settings {
      guard all[key] != nil else {
        throw UserError(
          .configuration, "model.\(key) is not a setting of \(name)",
          remedy:
            "its settings: \(all.keys.sorted().map { "model.\($0)" }.joined(separator: ", "))")
      }
      all[key] = value
    }
    do {
      return try JSONDecoder().decode(O.self, from: JSONEncoder().encode(all))
    } catch let error as DecodingError {
      throw UserError(
        .configuration, "a setting of \(name) has a value it cannot take: \(describe(error))",
        remedy: "see lra list for the settings of each model")
    }
  }

  private static func describe(_ error: DecodingError) -> String {
    switch error {
    case .dataCorrupted(let context), .typeMismatch(_, let context):
      "model.\(context.codingPath.map(\.stringValue).joined(separator: ".")), "
        + context.debugDescription
    default: "\(error)"
    }
  }
}
