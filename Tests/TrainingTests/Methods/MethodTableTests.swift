// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Models
import Runs
import Tasks
import TestSupport
import Testing
import Training

/// Every model through every method: what applies gives a run with a result, what does not is refused with
/// the reason.
@Suite("Methods and models")
struct MethodTableTests {
  /// One method.
  struct Method: Sendable {
    let name: String
    /// Settings of a training; of RUN is a trained one.
    var settings: [String] = []
    /// What `lra compress` does to a trained run.
    var compress: (@Sendable (inout Compression) throws -> Void)?
    /// Words of the refusal, by the model; the method applies to those that are not named.
    var refusals: [String: String] = [:]
  }

  private static let withoutProjections = [
    "reformer", "luna", "synthesizer", "fnet", "s4d", "lru",
  ]

  private static func all(_ names: [String], _ words: String) -> [String: String] {
    Dictionary(uniqueKeysWithValues: names.map { ($0, words) })
  }

  static let trainings: [Method] = [
    .init(name: "layer drop", settings: ["train.layer-drop=0.5"]),
    .init(name: "pruned by magnitude", settings: ["train.prune=magnitude"]),
    .init(
      name: "pruned by movement", settings: ["train.prune=movement", "train.initial=RUN"]),
    .init(name: "trained for bytes", settings: ["train.quantise=int8", "train.initial=RUN"]),
    .init(name: "exits", settings: ["train.exits=mixed", "train.initial=RUN"]),
    .init(
      name: "distilled", settings: ["train.teacher=RUN", "train.distill-match=outputs"]),
    .init(
      name: "distilled from itself", settings: ["train.teacher=RUN", "train.initial=teacher"]),
    .init(name: "blocks tied", settings: ["model.tie-layers=all"]),
    .init(
      name: "queries and keys tied", settings: ["model.tie-qk=true"],
      refusals: all(withoutProjections, "no projections")),
    .init(
      name: "keys and values tied", settings: ["model.tie-kv=true"],
      refusals: all(withoutProjections.filter { $0 != "luna" }, "no projections")),
    .init(
      name: "narrow positions", settings: ["model.position-rank=2"],
      refusals: all(["s4d", "lru"], "no table is trained")),
    .init(name: "masked", settings: ["train.objective=masked"]),
    .init(
      name: "causal", settings: ["train.objective=causal"],
      refusals: all(VariantCatalog.all.map(\.name), "see the tokens behind them")),
    .init(name: "computed again", settings: ["train.checkpoint=2"]),
  ]

  static let compressions: [Method] = [
    .init(
      name: "heads", compress: { $0.pruning.heads = 0.25 },
      refusals: all(["fnet", "s4d", "lru", "luna"], "no heads")),
    .init(
      name: "inner columns", compress: { $0.pruning.hidden = 0.5 },
      refusals: all(["s4d", "lru"], "no feed-forward")),
    .init(name: "blocks", compress: { $0.pruning.layers = [1, 2] }),
    .init(
      name: "narrow maps",
      compress: { $0.factorising = try Factorising("rank=2", isDataAware: false) },
      refusals: ["lowrank": "narrow already"]),
    .init(
      name: "narrow maps by data",
      compress: { $0.factorising = try Factorising("share=0.4", isDataAware: true) },
      refusals: ["lowrank": "narrow already"]),
    .init(name: "bytes", compress: { $0.quantisation = .int8 }),
    .init(name: "bytes in the file", compress: { $0.quantisation = .weights }),
    .init(
      name: "exits", compress: { $0.exits = .confidence(0.9) },
      refusals: all(VariantCatalog.all.map(\.name), "has no exits")),
  ]

  private func configuration(
    _ entry: VariantEntry, _ folder: String, _ changes: [String]
  ) throws -> RunConfiguration {
    let own = VariantCase.of(entry)
    return try tinyConfiguration(
      folder, model: entry.name,
      own.options.map { "model.\($0)=\($1)" } + (own.hasFeedForward ? [] : ["model.feed-forward=0"])
        + [
          "model.layers=4", "model.width=16", "task.train-count=16", "task.val-count=8",
          "task.test-count=8", "train.steps=2", "train.eval-every=2", "train.checkpoint-every=2",
        ] + changes.map { $0.replacing("RUN", with: "\(folder)/run") })
  }

  private func train(_ configuration: RunConfiguration, in folder: String) throws {
    let run = try TrainingRun(
      configuration, folder: RunFolder.create(folder), resuming: false, timeLimit: nil,
      console: SilentConsole())
    switch try run.run() {
    case .finished, .pretrained: break
    case .stopped, .initialized: Issue.record("\(folder): no result")
    }
  }

  /// Expects a refusal with these words, or none.
  private func expect(_ words: String?, _ method: String, _ body: () throws -> Void) {
    do {
      try body()
      #expect(words == nil, "\(method) is not refused")
    } catch let error as UserError {
      #expect(words.map(error.problem.contains) == true, "\(method): \(error.problem)")
      #expect(!error.remedy.isEmpty)
    } catch {
      Issue.record("\(method): \(error)")
    }
  }

  @Test("Every model goes through every method, or is refused", arguments: VariantCatalog.all)
  func table(entry: VariantEntry) throws {
    try withTemporaryFolder { folder in
      try train(configuration(entry, folder, []), in: "\(folder)/run")
      for method in Self.trainings {
        let name = method.name.replacing(" ", with: "-")
        expect(method.refusals[entry.name], method.name) {
          try train(configuration(entry, folder, method.settings), in: "\(folder)/\(name)")
        }
      }
      for method in Self.compressions {
        expect(method.refusals[entry.name], method.name) {
          var compression = try Compression(
            "\(folder)/run", choice: .last, dataFolder: "\(folder)/data")
          compression.calibration = 8
          try method.compress?(&compression)
          let small = try compression.outcome().model
          let answers = try Evaluator(small, compression.source.configuration.task, batch: 4)
            .run(compression.source.configuration.task.examples(.test))
          #expect(answers?.loss.isFinite == true, "\(method.name)")
        }
      }
    }
  }

  @Test("Models that do not see ahead learn each next token", arguments: ["lru", "s4d"])
  func causal(name: String) throws {
    try withTemporaryFolder { folder in
      let own = ["model.bidirectional=false", "train.objective=causal"]
      try train(configuration(VariantCatalog.named(name), folder, own), in: "\(folder)/run")
    }
  }

  @Test("Reversible blocks go with what does not round, exit or compute again")
  func reversible() throws {
    try withTemporaryFolder { folder in
      let reformer = try VariantCatalog.named("reformer")
      let own = ["model.reversible=true"]
      try train(configuration(reformer, folder, own), in: "\(folder)/run")
      let refusals = [
        "trained for bytes": "inputs back from outputs", "exits": "one of two streams",
        "computed again": "computed again already", "distilled": "keep no outputs",
        "queries and keys tied": "no projections", "keys and values tied": "no projections",
        "causal": "see the tokens",
      ]
      for method in Self.trainings {
        expect(refusals[method.name], method.name) {
          try train(
            configuration(reformer, folder, own + method.settings),
            in: "\(folder)/\(method.name.replacing(" ", with: "-"))")
        }
      }
    }
  }
}
