import Base
import Foundation

/// One variant: what users see of it, and how to make it.
public struct VariantEntry: Sendable {
  /// The name on the command line.
  public let name: String
  /// Authors and year, arXiv number.
  public let paper: String
  /// The growth of time and memory with the length.
  public let cost: String
  /// One sentence.
  public let summary: String
  private let defaults: @Sendable () throws -> [String: Setting]
  private let check: @Sendable (MixerSize, [String: Setting]) throws -> Void
  private let build:
    @Sendable (MixerSize, [String: Setting]) throws -> (ParameterScope) -> any Mixer

  init<M: Mixer>(
    _ name: String, paper: String, cost: String, summary: String, _ type: M.Type
  ) {
    self.name = name
    self.paper = paper
    self.cost = cost
    self.summary = summary
    defaults = {
      try JSONDecoder().decode([String: Setting].self, from: JSONEncoder().encode(M.Options()))
    }
    check = { size, settings in
      try VariantEntry.decode(M.Options.self, name, settings).validate(size)
    }
    build = { size, settings in
      let options = try VariantEntry.decode(M.Options.self, name, settings)
      return { scope in M(size, options, scope) }
    }
  }

  /// The variant's own settings and their defaults.
  public func options() throws -> [String: Setting] { try defaults() }

  func validate(_ configuration: ModelConfiguration) throws {
    try check(configuration.mixerSize, configuration.options)
  }

  /// What makes one layer's mixer.
  func mixer(_ configuration: ModelConfiguration) throws -> (ParameterScope) -> any Mixer {
    try build(configuration.mixerSize, configuration.options)
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
          .configuration, "model.\(key) is not a setting of \(name).",
          remedy:
            "Its settings: \(all.keys.sorted().map { "model.\($0)" }.joined(separator: ", ")).")
      }
      all[key] = value
    }
    do {
      return try JSONDecoder().decode(O.self, from: JSONEncoder().encode(all))
    } catch let error as DecodingError {
      throw UserError(
        .configuration, "A setting of \(name) has a value it cannot take: \(describe(error)).",
        remedy: "See lra list for the settings of each model.")
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

/// Every variant, one line each.
public enum VariantCatalog {
  /// In the order in which they are listed.
  public static let all: [VariantEntry] = [
    VariantEntry(
      "transformer", paper: "Vaswani et al. 2017, arXiv 1706.03762", cost: "O(L²)",
      summary: "Exact softmax attention, tiled.", Transformer.self),
    VariantEntry(
      "linformer", paper: "Wang et al. 2020, arXiv 2006.04768", cost: "O(L·K)",
      summary: "Softmax attention to K projected keys and values.", Linformer.self),
    VariantEntry(
      "linear", paper: "Katharopoulos et al. 2020, arXiv 2006.16236", cost: "O(L)",
      summary: "Attention with the kernel elu + 1.", LinearTransformer.self),
  ]

  /// The variant with this name.
  ///
  /// - Throws: `UserError` naming the nearest ones.
  public static func named(_ name: String) throws -> VariantEntry {
    if let entry = all.first(where: { $0.name == name }) { return entry }
    let near = nearestNames(to: name, among: all.map(\.name))
    throw UserError(
      .usage, "There is no model \"\(name)\".",
      remedy: near.isEmpty
        ? "Models: \(all.map(\.name).joined(separator: ", "))."
        : "Did you mean \(near.joined(separator: " or "))?")
  }
}
