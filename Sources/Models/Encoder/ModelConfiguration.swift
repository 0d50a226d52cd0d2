// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// How a sequence of rows becomes one.
package enum Pooling: String, SettingChoice {
  /// The mean over the real tokens.
  case mean
  /// The row of a learned class token put in front of the sequence.
  case cls
}

/// Everything needed to build a model again: its settings, and what its task says of it.
@dynamicMemberLookup
package struct ModelConfiguration: Sendable, Equatable {
  /// What every model has; its knobs are also members of the configuration, as `width`.
  package var settings: ModelSettings
  /// The variant's own settings by name, as `projected`; one without a value has its default.
  package var options: [String: Setting] = [:]
  /// The longest sequence, in tokens.
  package var length: Int
  /// V, including padding, which no model ever sees.
  package var vocabulary: Int
  /// C.
  package var classes: Int
  /// Whether there is a classifier behind every block, by which examples can leave.
  package var exits = false
  /// Sequences that are classified together, all through the same encoder: 1, or 2 for pairs.
  package var towers = 1

  /// A model of the given size; everything else at its default.
  package init(
    name: String, layers: Int, width: Int, heads: Int, feedForward: Int, length: Int,
    vocabulary: Int, classes: Int
  ) {
    settings = ModelSettings()
    (self.length, self.vocabulary, self.classes) = (length, vocabulary, classes)
    (settings.name, settings.layers, settings.width) = (name, layers, width)
    (settings.heads, settings.feedForward) = (heads, feedForward)
  }

  /// The model of section `model` of a configuration, with the variant's own settings.
  ///
  /// - Throws: `UserError(.configuration)` that names the key whose value is not allowed.
  package init(
    _ settings: Settings, length: Int, vocabulary: Int, classes: Int, towers: Int
  ) throws {
    let model = try ModelSettings(settings)
    self.settings = model
    (self.length, self.vocabulary, self.classes) = (length, vocabulary, classes)
    self.towers = towers
    for option in try VariantCatalog.named(model.name).options {
      options[option.name] = try settings[option.key].map(option.check)
    }
  }

  /// A setting that every model has.
  package subscript<Value>(dynamicMember path: WritableKeyPath<ModelSettings, Value>) -> Value {
    get { settings[keyPath: path] }
    set { settings[keyPath: path] = newValue }
  }

  /// The columns that the classifier sees: a row, or what ``pairFeatures(_:)`` makes of two.
  var featureWidth: Int { towers == 2 ? 4 * settings.width : settings.width }

  /// The length with the class token.
  var positionCount: Int { length + (settings.pooling == .cls ? 1 : 0) }

  /// The blocks, and what is left of them.
  ///
  /// - Throws: `UserError(.configuration)` where a setting tells of parts that there are not.
  package func blockShapes() throws -> BlockShapes { try BlockShapes(settings) }

  /// r of linear maps that are products of narrow ones, by their paths.
  ///
  /// - Throws: `UserError(.configuration)` for text of another form.
  package func mapRanks() throws -> [String: Int] {
    var ranks: [String: Int] = [:]
    for part in settings.ranks.split(separator: " ") {
      guard let equals = part.lastIndex(of: "="),
        let rank = Int(part[part.index(after: equals)...]),
        (1...1 << 22).contains(rank),
        ranks.updateValue(rank, forKey: String(part[..<equals])) == nil
      else {
        throw UserError(
          .configuration,
          "model.ranks: \"\(part)\" is no map with its rank, or the second of its map",
          remedy: "write, for example, blocks.0.mixer.query=8")
      }
    }
    return ranks
  }

  /// The size of a block from which nothing was pruned.
  package var wholeBlock: MixerSize { MixerSize(settings: settings, length: positionCount) }

  /// Whether blocks share weights.
  package var parametersAreTied: Bool {
    let tied = TiedBlocks(settings)
    let mixersHaveWeights = settings.name != FNet.about.name
    return (0..<settings.layers).contains { block in
      mixersHaveWeights && tied.path(ofMixer: true, block: block) != nil
        || tied.path(ofMixer: false, block: block) != nil && settings.feedForward > 0
    }
  }

  private func checkTies() throws {
    let limit = LowRankMap.limit(positionCount, settings.width)
    guard settings.positions != .learned || settings.positionRank < max(limit, 1) else {
      throw UserError(
        .configuration,
        "model.position-rank is \(settings.positionRank), but two tables save nothing from rank "
          + "\(limit) on", remedy: "use a lower rank, or 0 for one table")
    }
    guard settings.tieLayers == .none || settings.tieGroup < settings.layers else {
      throw UserError(
        .configuration,
        "model.tie-group is \(settings.tieGroup), but there are \(counted(settings.layers, "block"))",
        remedy: "use a smaller group, or 0 for all blocks")
    }
    guard !settings.tieNorms || settings.normalization == .layer else {
      throw UserError(
        .configuration,
        "model.tie-norms needs model.norm layer: running statistics are those of one place",
        remedy: "leave model.tie-norms out")
    }
    let isPruned =
      !settings.keptLayers.isEmpty || !settings.keptHeads.isEmpty || !settings.innerWidths.isEmpty
    guard settings.tieLayers == .none || !isPruned else {
      throw UserError(
        .configuration,
        "model.tie-layers is \(settings.tieLayers.rawValue), but parts of single blocks are left out",
        remedy: "use one of them")
    }
  }

  /// Whether its mixers have heads.
  var hasHeads: Bool {
    (try? VariantCatalog.named(settings.name))?.about.parts.contains(.heads) ?? false
  }

  func mixerSize(_ block: BlockShapes.Block) -> MixerSize {
    MixerSize(settings, length: positionCount, block)
  }

  /// The keys of `model` that have no effect beside the values of the others, each with the reason.
  package func idle() throws -> [String: String] {
    var reasons = try VariantCatalog.named(settings.name).idle(self)
    if settings.input == .numbers {
      reasons["embedding-deviation"] = "with model.input numbers no row of a token is drawn"
    }
    if settings.feedForward == 0 {
      reasons["inner-widths"] = "model.feed-forward is 0: there are no feed-forward networks"
    }
    if settings.positions != .learned {
      reasons["position-rank"] =
        "model.positions is \(settings.positions.rawValue): no table is trained"
    }
    let isTied = parametersAreTied
    if !isTied, settings.tieLayers != .none {
      reasons["tie-layers"] = "there are no two blocks with such a part to share"
    }
    if settings.tieLayers == .none { reasons["tie-group"] = "model.tie-layers is none" }
    if !isTied { reasons["tie-norms"] = "no blocks share weights" }
    return reasons
  }

  /// Whether no row depends on tokens behind its own.
  package func isCausal() throws -> Bool {
    try VariantCatalog.named(settings.name).isCausal(options)
  }

  /// Checks every value, so that building the model cannot fail.
  ///
  /// - Throws: `UserError` naming the key and what it must be.
  package func validate() throws {
    try settings.check()
    try checkRange("task.length", length, 1...1 << 22)
    try checkRange("the number of tokens", vocabulary, 1...1 << 22)
    try checkRange("the number of classes", classes, 1...1 << 16)
    try checkMemory(floats: Double(positionCount) * Double(settings.width), "the positions")
    guard (1...2).contains(towers) else {
      throw UserError(
        .configuration, "a model takes 1 sequence or 2 together, not \(towers)",
        remedy: "let the task have as many towers")
    }
    guard settings.headWidth > 0 || settings.width % settings.heads == 0 else {
      throw UserError(
        .configuration,
        "model.width \(settings.width) is not a multiple of model.heads \(settings.heads)",
        remedy: "change one of them, or set model.head-width")
    }
    guard settings.normalization == .layer || settings.feedForward == 0 else {
      throw UserError(
        .configuration,
        "model.norm is \(settings.normalization.rawValue), but model.feed-forward is "
          + "\(settings.feedForward)",
        remedy: "feed-forward networks normalise by rows: set model.feed-forward to 0, or "
          + "model.norm to layer")
    }
    _ = try mapRanks()
    try checkTies()
    guard settings.quantised != .int8 || options["reversible"] != .boolean(true) else {
      throw UserError(
        .configuration,
        "model.quantised is int8, but model.reversible computes inputs back from outputs, which "
          + "rounding to bytes would not allow",
        remedy: "use --set model.quantised=weights (lra compress --weights-only), or "
          + "model.reversible=false")
    }
    if exits { try checkExits() }
    try VariantCatalog.named(settings.name).validate(self)
  }

  /// The fewest blocks of a model with exits.
  private static let fewestBlocksForExits = 4

  private func checkExits() throws {
    let count = try blockShapes().blocks.count
    guard count >= Self.fewestBlocksForExits else {
      throw UserError(
        .configuration,
        "train.exits: the model has \(counted(count, "block")), of which examples that leave early would "
          + "save too little to pay for the exits",
        remedy:
          "use a model of at least \(Self.fewestBlocksForExits) blocks (model.layers), or leave "
          + "train.exits out")
    }
    guard options["reversible"] != .boolean(true) else {
      throw UserError(
        .configuration,
        "train.exits: with model.reversible an exit would see one of two streams",
        remedy: "use one of them")
    }
  }
}

extension ModelConfiguration {
  /// Checks that the rows of a batch fit into memory, before any are made.
  ///
  /// - Parameter tokens: of all sequences of a batch together, as far as is known.
  /// - Throws: `UserError` when they cannot.
  package func checkMemory(batchTokens tokens: Double) throws {
    try checkMemory(floats: tokens * Double(settings.width), "the embedded tokens of one batch")
  }

  /// Checks that so many numbers fit into the machine's memory.
  func checkMemory(floats: Double, _ what: String) throws {
    let memory = Double(ProcessInfo.processInfo.physicalMemory)
    guard floats * 4 > memory else { return }
    let gibibytes = { String(format: "%.0f GiB", $0 / 0x1p30) }
    throw UserError(
      .configuration,
      "\(what) would take \(gibibytes(floats * 4)), and this machine has \(gibibytes(memory))",
      remedy: "make the batch, the length or the model smaller")
  }
}
