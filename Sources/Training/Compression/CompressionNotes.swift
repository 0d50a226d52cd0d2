// SPDX-License-Identifier: Apache-2.0

import Base

/// What a compressed model notes of how it was made: section `compress` of its `config.json`, which no
/// other run has.
package struct CompressionNotes: SettingSection {
  package static let section = "compress"

  /// The run that was compressed.
  @Knob("the run that was compressed") package var source = ""
  /// SHA-256 of its weights' file.
  @Knob("SHA-256 of its model.safetensors", key: "source-sha256") package var sourceHash = ""
  /// The methods, in their order, with + between them.
  @Knob("the methods, in their order, with + between them") package var method = ""
  /// What was chosen for each.
  @Knob("what was chosen for each method, with ; between them") package var numbers = ""
  /// The split whose examples something was measured on; empty where nothing was.
  @Knob("the split that something was measured on; empty where nothing was")
  package var calibration = ""
  /// How many of its first examples.
  @Knob("how many of its first examples", 0...) package var count = 0

  package init() {}

  /// Where the settings come from.
  static let origin = "lra compress"
  /// The key that stands for a compression in tables.
  static let numbersKey = "compress.numbers"
  static let keys = Set(declarations.map(\.key))

  /// The notes of a configuration; nil for a model that was not compressed.
  package init?(of settings: Settings) throws {
    guard settings.contains("compress.method") else { return nil }
    try self.init(settings)
  }

  /// The declarations with the values.
  var values: [(SettingDeclaration, Setting)] {
    let values: [String: Setting] = [
      "source": .text(source), "source-sha256": .text(sourceHash), "method": .text(method),
      "numbers": .text(numbers), "calibration": .text(calibration), "count": .integer(count),
    ]
    return Self.declarations.map { ($0, values[$0.name] ?? $0.value) }
  }
}

/// The methods of `lra compress`, in the order in which they may follow each other.
package enum CompressionMethod: String, CaseIterable, Sendable {
  case prune
  case factorise
  case quantise
  case exits

  /// Why it is the last of the methods that a model goes through, or comes before others.
  private var reason: String {
    switch self {
    case .prune: ""
    case .factorise: "what is left after pruning allows lower ranks: prune first, then factorise"
    case .quantise: "numbers are rounded to bytes last of all, or they would be rounded twice"
    case .exits: "how sure exits have to be is chosen last, for the very model that is used"
    }
  }

  /// Checks that a method can follow those that a model has been through.
  ///
  /// - Throws: `UserError(.usage)` where it was there already, or a later one was.
  func check(after notes: CompressionNotes?, run: String) throws {
    let before = (notes?.method ?? "").split(separator: "+").map(String.init)
    if before.contains(rawValue) {
      throw UserError(
        .usage, "\(run) is compressed by this method already (\(notes?.numbers ?? ""))",
        remedy: "compress the run that it was made from, \(notes?.source ?? ""), with other numbers"
      )
    }
    let later = Self.allCases.drop { $0 != self }.dropFirst().last { before.contains($0.rawValue) }
    if let later {
      throw UserError(
        .usage, "\(run) is compressed already (\(notes?.numbers ?? "")): \(later.reason)",
        remedy: "begin with the run that it was made from, \(notes?.source ?? "")")
    }
  }
}
