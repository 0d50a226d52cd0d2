// SPDX-License-Identifier: Apache-2.0

import Base
import Models
import Tasks

/// Structured pruning: which heads, inner columns and blocks go, by what the loss hangs on.
///
/// The least important tenth goes, the rest is measured anew, until the share is reached. Importances are
/// divided by the norm of their branch, so that branches can be compared.
package struct Pruning: Sendable {
  /// The share of all heads that goes; nil for none.
  package var heads: Double?
  /// The share of all inner columns that goes; nil for none.
  package var hidden: Double?
  /// The numbers of the blocks that go.
  package var layers: [Int] = []

  package init() {}

  /// Whether nothing goes.
  package var isEmpty: Bool { heads == nil && hidden == nil && layers.isEmpty }

  /// As the notes of a run have it.
  var numbers: String {
    let layers = layers.map(String.init).joined(separator: ",")
    return
      (["prune"] + (heads.map { ["heads=\($0)"] } ?? []) + (hidden.map { ["hidden=\($0)"] } ?? [])
      + (layers.isEmpty ? [] : ["layers=\(layers)"])).joined(separator: " ")
  }

  /// Checks what can be checked without measuring.
  ///
  /// - Throws: `UserError` that says what else can be pruned.
  func check(_ model: Classifier, _ units: PrunableUnits) throws {
    let numbers = try model.configuration.blockShapes().blocks.map(\.number)
    guard !model.configuration.parametersAreTied else {
      throw UserError(
        .usage, "pruning: blocks share their weights, so that no part of one can go alone",
        remedy: "--factorise makes the maps that they share smaller, --quantise int8 their file")
    }
    for layer in layers where !numbers.contains(layer) {
      throw UserError(
        .usage, "--drop-layers \(layer): there is no such block",
        remedy: "the blocks are \(numbers.map(String.init).joined(separator: ", "))")
    }
    guard Set(layers).count < numbers.count else {
      throw UserError(
        .usage, "--drop-layers: no block would be left", remedy: "leave at least one of them")
    }
    let name = model.configuration.name
    if heads != nil, units.heads.isEmpty {
      throw UserError(
        .usage, "--prune-heads: \(name) has no heads that could go singly",
        remedy: Self.alternatives(hidden: !units.hidden.isEmpty, layers: numbers.count > 1))
    }
    if hidden != nil, units.hidden.isEmpty {
      throw UserError(
        .usage, "--prune-hidden: this \(name) has no feed-forward networks",
        remedy: Self.alternatives(heads: !units.heads.isEmpty, layers: numbers.count > 1))
    }
    if layers.isEmpty { _ = try choices(units) }
  }

  /// The units of each kind of which a share goes.
  ///
  /// - Throws: `UserError` where nothing, or everything, would go.
  private func choices(_ units: PrunableUnits) throws -> [UnitChoice] {
    let heads = try heads.map { try UnitChoice("--prune-heads", "head", $0, units.heads) }
    let hidden = try hidden.map {
      try UnitChoice("--prune-hidden", "inner column", $0, units.hidden)
    }
    return [heads, hidden].compactMap(\.self)
  }

  private static func alternatives(
    heads: Bool = false, hidden: Bool = false, layers: Bool
  ) -> String {
    let flags =
      (heads ? ["--prune-heads"] : []) + (hidden ? ["--prune-hidden"] : [])
      + (layers ? ["--drop-layers"] : [])
    return flags.isEmpty
      ? "it has one block of nothing that could be pruned; --factorise makes its maps smaller"
      : "what can go: \(flags.joined(separator: ", "))"
  }

  /// Chooses the units that stay, and makes the model of them.
  ///
  /// - Throws: `UserError` where nothing, or everything, would go.
  func prune(_ model: Classifier, _ examples: Calibration) throws -> Classifier {
    let gone = Set(layers)
    let base = gone.isEmpty ? model : try model.pruned(masks: [:], droppingLayers: gone)
    var choices = try choices(base.prunableUnits())
    while choices.contains(where: { !$0.isDone }) {
      let masks = choices.reduce(into: [:]) { $0.merge($1.masks) { $1 } }
      let importance = try Self.importance(of: base, examples, masks: masks)
      for index in choices.indices { choices[index].remove(by: importance) }
    }
    let masks = choices.reduce(into: [:]) { $0.merge($1.masks) { $1 } }
    return masks.isEmpty ? base : try base.pruned(masks: masks, droppingLayers: [])
  }

  /// I of the units of each branch, divided by the branch's norm.
  ///
  /// - Parameter masks: units that are left out.
  package static func importance(
    of model: Classifier, _ examples: Calibration, masks: [String: [Bool]] = [:]
  ) throws -> [String: [Double]] {
    let probe = ImportanceProbe(towers: model.configuration.towers, masks: masks)
    _ = try examples.loss(of: model, .observing(probe), withGradients: true)
    return probe.sums.mapValues { values in
      let norm = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return norm > 0 ? values.map { $0 / norm } : values
    }
  }

  /// The mean cross-entropy of the examples without each block, by its number.
  package static func lossWithoutBlocks(
    of model: Classifier, _ examples: Calibration
  ) throws -> [(number: Int, loss: Double)] {
    let blocks = try model.configuration.blockShapes().blocks
    guard blocks.count > 1 else { return [] }
    return try blocks.map { block in
      let rest = try model.pruned(masks: [:], droppingLayers: [block.number])
      return (block.number, try examples.loss(of: rest))
    }
  }
}

/// Which units of one kind stay.
private struct UnitChoice {
  private let branches: [PrunableUnits.Branch]
  private var left: Int
  private let atOnce: Int
  private(set) var masks: [String: [Bool]]

  /// - Parameters:
  ///   - flag: names it in messages.
  ///   - share: of all units, that goes.
  init(_ flag: String, _ unit: String, _ share: Double, _ branches: [PrunableUnits.Branch]) throws {
    self.branches = branches
    let all = branches.reduce(0) { $0 + $1.count }
    // A share such as 0.7 of 10 is seven, though the product is a little less.
    left = Int((share * Double(all) + 1e-9).rounded(.down))
    atOnce = max(1, (all + 9) / 10)
    masks = Dictionary(
      uniqueKeysWithValues: branches.map { ($0.place, Array(repeating: true, count: $0.count)) })
    let most = branches.reduce(0) { $0 + $1.count - $1.least }
    guard left > 0 else {
      throw UserError(
        .usage, "\(flag): \(formatPercent(share)) of \(counted(all, unit)) is less than one",
        remedy: "use a larger share")
    }
    guard left <= min(most, all - 1) else {
      throw UserError(
        .usage,
        "\(flag): \(formatPercent(share)) of \(counted(all, unit)) is \(left), but no more than "
          + "\(min(most, all - 1)) can go",
        remedy: "use a smaller share; --drop-layers takes whole blocks away")
    }
  }

  var isDone: Bool { left == 0 }

  /// Takes the least important tenth of all away, the first of equals first.
  mutating func remove(by importance: [String: [Double]]) {
    var candidates: [(value: Double, branch: Int, unit: Int)] = []
    for (number, branch) in branches.enumerated() {
      guard let mask = masks[branch.place], let values = importance[branch.place] else { continue }
      candidates += mask.indices.filter { mask[$0] }.map { (values[$0], number, $0) }
    }
    var taken = 0
    for (_, number, unit) in candidates.sorted(by: { $0 < $1 }) where taken < min(atOnce, left) {
      let branch = branches[number]
      guard var mask = masks[branch.place], mask.count(where: { $0 }) > branch.least else {
        continue
      }
      mask[unit] = false
      masks[branch.place] = mask
      taken += 1
    }
    left -= taken
  }
}
