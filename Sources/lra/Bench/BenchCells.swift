import Base
import Models

/// The cells that the flags of `lra bench` ask for, all flags checked.
struct BenchCells {
  /// Models and lengths, all lengths of one model together.
  let all: [(model: String, length: Int)]
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
    let lengths = try integers("--length", flags.length, atLeast: 1)
    let models = commaSeparated(flags.model)
    all = models.flatMap { model in lengths.map { (model, $0) } }
    settings = try Self.settings(flags.set, models: models)
  }

  /// The own settings of all models together, with the values given.
  private static func settings(_ assignments: [String], models: [String]) throws -> Settings {
    var settings = Settings()
    for model in models {
      for (key, value) in try VariantCatalog.named(model).options().sorted(by: { $0.key < $1.key })
      where !settings.contains("model.\(key)") {
        settings.declare("model.\(key)", value)
      }
    }
    for assignment in assignments {
      guard !settings.entries.isEmpty else {
        throw UserError(
          .configuration,
          "--set \(assignment): \(models.joined(separator: ", ")) has no settings of its own",
          remedy: "lra list shows the settings of each model")
      }
      try settings.set(assignment: assignment, origin: "--set")
    }
    return settings
  }

  /// One cell's model; dropout is off, as in the programs to compare with.
  func configuration(_ model: String, _ length: Int) throws -> ModelConfiguration {
    var configuration = ModelConfiguration(
      name: model, layers: flags.layers, width: flags.emb, heads: flags.heads,
      feedForward: flags.mlp, length: length, vocabulary: flags.vocab, classes: flags.classes)
    configuration.towers = flags.towers
    configuration.dropout = 0
    configuration.attentionDropout = 0
    let own = try VariantCatalog.named(model).options()
    for entry in settings.entries where entry.origin == "--set" {
      let key = String(entry.key.dropFirst("model.".count))
      if own[key] != nil { configuration.options[key] = entry.value }
    }
    return configuration
  }
}
