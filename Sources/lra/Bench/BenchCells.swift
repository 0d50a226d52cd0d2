// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Models

/// The cells that the flags of `lra bench` ask for, all flags checked.
struct BenchCells {
  /// Models and lengths, all lengths of one model together.
  let all: [(model: String, length: Int)]
  /// Of the operands of products.
  let precision: Precision
  /// Of what is kept for the backward pass.
  let saved: Precision
  private let flags: Bench
  private let settings: Settings

  /// Checks the flags.
  ///
  /// - Throws: `UserError` that names the flag.
  init(_ flags: Bench) throws {
    self.flags = flags
    for (flag, value) in [
      ("--batch", flags.batch), ("--emb", flags.emb), ("--heads", flags.heads),
      ("--layers", flags.layers), ("--classes", flags.classes),
    ] { try require(flag, value, atLeast: 1) }
    try require("--steps", flags.steps, atLeast: 1, atMost: 1_000_000)
    if let threads = flags.threads { _ = try ThreadCount.checked(threads, "--threads") }
    try require("--mlp", flags.mlp, atLeast: 0)
    try require("--vocab", flags.vocab, atLeast: 2)
    guard (1...2).contains(flags.towers) else {
      throw UserError(
        .usage, "--towers is \(flags.towers)", remedy: "give 1, or 2 for pairs of sequences")
    }
    guard flags.emb % flags.heads == 0 else {
      throw UserError(
        .usage, "--emb \(flags.emb) is not a multiple of --heads \(flags.heads)",
        remedy: "change one of them")
    }
    guard let precision = Precision(rawValue: flags.precision) else {
      throw UserError(
        .usage, "--precision is \(flags.precision)", remedy: "give fp32, bf16 or int8")
    }
    guard precision != .int8 || flags.forward else {
      throw UserError(
        .usage, "--precision int8 is for inference alone: bytes have no gradients",
        remedy: "add --forward")
    }
    self.precision = precision
    saved = try Self.saved(flags)
    let lengths = try integers("--length", flags.length, atLeast: 1)
    let models = commaSeparated(flags.model)
    all = models.flatMap { model in lengths.map { (model, $0) } }
    settings = try Self.settings(flags.set, models: models)
  }

  /// What the flags say of the memory of a training.
  private static func saved(_ flags: Bench) throws -> Precision {
    try require("--checkpoint", flags.checkpoint, atLeast: 0)
    guard let saved = Precision(rawValue: flags.saved), saved != .int8 else {
      throw UserError(.usage, "--saved is \(flags.saved)", remedy: "give fp32 or bf16")
    }
    guard saved == .fp32 || flags.checkpoint == 0 else {
      throw UserError(
        .usage, "--saved bf16 rounds what --checkpoint does not keep", remedy: "use one of them")
    }
    guard !flags.forward || (saved == .fp32 && flags.checkpoint == 0) else {
      throw UserError(
        .usage, "--saved and --checkpoint are of the backward pass, which --forward leaves out",
        remedy: "leave out one or the other")
    }
    return saved
  }

  /// What can be set for some of the models.
  private static func settings(_ assignments: [String], models: [String]) throws -> Settings {
    var settings = Settings()
    let common = ModelSettings.declarations.filter { $0.name != "name" }
    let own = try models.flatMap { try VariantCatalog.named($0).options }
    for declaration in common + own where !settings.contains(declaration.key) {
      settings.declare(declaration)
    }
    // Off, as in the programs to compare with.
    for key in ["model.dropout", "model.attention-dropout"] {
      try settings.set(key, .number(0), origin: "lra bench")
    }
    for assignment in assignments { try settings.set(assignment: assignment, origin: "--set") }
    _ = try ModelSettings(settings)
    return settings
  }

  /// One cell's model.
  func configuration(_ model: String, _ length: Int) throws -> ModelConfiguration {
    var settings = Settings()
    for declaration in try VariantCatalog.named(model).settings { settings.declare(declaration) }
    for (key, flag, size) in [
      ("model.layers", "--layers", flags.layers), ("model.width", "--emb", flags.emb),
      ("model.heads", "--heads", flags.heads), ("model.feed-forward", "--mlp", flags.mlp),
    ] { try settings.set(key, .integer(size), origin: flag) }
    try settings.set("model.name", .text(model), origin: "--model")
    for entry in self.settings.entries
    where entry.origin != "default" && settings.contains(entry.key) {
      try settings.set(entry.key, entry.value, origin: entry.origin)
    }
    return try ModelConfiguration(
      settings, length: length, vocabulary: flags.vocab, classes: flags.classes,
      towers: flags.towers)
  }
}
