// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation
import Models
import Runs
import TestSupport
import Testing
import Training

/// Trainings whose steps leave blocks out.
@Suite("Layer drop")
struct LayerDropTests {
  private static let four = ["model.layers=4", "train.layer-drop=0.5"]

  /// Which blocks step 1 … 12 leave out, by the gradient that they do not get.
  private func leftOut(_ configuration: RunConfiguration) throws -> [[Bool]] {
    let batch = try tinyBatch(configuration, step: 1)
    return try (1...12).map { step in
      let model = try configuration.makeModel()
      let before = model.weights()
      _ = try Trainer(model, configuration.training).step(step, batch)
      let after = model.weights()
      return try (0..<4).map { block in
        let name = "blocks.\(block).feed-forward.norm.scale"
        return try before.floats(name) == after.floats(name)
      }
    }
  }

  @Test("Blocks are left out by seed and step, half of them at 0.5, whatever the parts of a batch")
  func places() throws {
    try withTemporaryFolder { folder in
      let base = try tinyConfiguration(folder, model: "linear", Self.four)
      let found = try leftOut(base)
      let count = found.joined().count { $0 }
      #expect((12...36).contains(count))
      #expect(Set(found.map { $0.map(String.init).joined() }).count > 4)
      let parts = try tinyConfiguration(
        folder, model: "linear", Self.four + ["train.accumulation=4"])
      #expect(try leftOut(parts) == found)
      let other = try tinyConfiguration(folder, model: "linear", Self.four + ["train.seed=1"])
      #expect(try leftOut(other) != found)
    }
  }

  @Test("An evaluation leaves nothing out")
  func evaluation() throws {
    try withTemporaryFolder { folder in
      let batch = try tinyBatch(tinyConfiguration(folder, model: "linear"), step: 1)
      let input = PackedTokens(tokens: batch.tokens, offsets: batch.offsets, capacity: 40)
      let answers = try [[], ["train.layer-drop=0.9"]].map {
        try tinyConfiguration(folder, model: "linear", $0).makeModel()(input).values
      }
      #expect(answers[0] == answers[1])
    }
  }

  @Test(
    "Blocks that are computed again, or reversibly, leave out the same",
    arguments: [
      ("linear", ["train.checkpoint=3"]),
      ("luna", ["train.checkpoint=1", "model.packed=6"]),
    ])
  func recomputed(model: String, changes: [String]) throws {
    try withTemporaryFolder { folder in
      let own = changes.filter { $0.hasPrefix("model") }
      let weights = try [own, changes].map {
        let configuration = try tinyConfiguration(folder, model: model, Self.four + $0)
        let trainer = try makeTrainer(configuration)
        for step in 1...4 { _ = try trainer.step(step, tinyBatch(configuration, step: step)) }
        return trainer.model.weights().serialized()
      }
      #expect(weights[0] == weights[1])
    }
  }

  @Test("Every model trains with blocks left out", arguments: VariantCatalog.all)
  func variants(entry: VariantEntry) throws {
    try withTemporaryFolder { folder in
      let own = VariantCase.of(entry)
      let configuration = try tinyConfiguration(
        folder, model: entry.name,
        own.options.map { "model.\($0)=\($1)" } + Self.four
          + (own.hasFeedForward ? [] : ["model.feed-forward=0"]))
      let trainer = try makeTrainer(configuration)
      let losses = try (1...6).map {
        try trainer.step($0, tinyBatch(configuration, step: $0)).loss
      }
      #expect(losses.allSatisfy { $0.isFinite })
    }
  }

  @Test("A reversible model's gradients are the loss's slope where blocks are left out")
  func reversible() throws {
    try withTemporaryFolder { folder in
      let changes =
        Self.four + [
          "model.chunk=20", "model.reversible=true", "model.dropout=0", "model.attention-dropout=0",
        ]
      let configuration = try tinyConfiguration(folder, model: "reformer", changes)
      let model = try configuration.makeModel()
      let batch = try tinyBatch(configuration, step: 1)
      let parameter = try #require(model.parameters["embedding.token"])
      for step in 1...3 {
        let loss = {
          let rows = model.encode(
            PackedTokens(tokens: batch.tokens, offsets: batch.offsets, capacity: 40),
            .training(DropoutSeed(seed: 0, step: step)))
          return Classification()(rows, of: model, batch, count: batch.labels.count).loss
        }
        model.parameters.values.clearGradients()
        loss().backward()
        // Hashes may change on the way.
        expectSlope(of: parameter, in: model, step: 2e-3, tolerance: (0.05, 0)) {
          Double(loss().scalar)
        }
      }
    }
  }

  @Test("A run that is killed leaves out the same blocks when it goes on")
  func resumed() throws {
    try withTemporaryFolder { folder in
      let run = try ResumableRun(folder, Self.four)
      try run.train()
      let bytes = run.bytes()
      try run.goBack(to: 8)
      try run.resume()
      #expect(run.bytes() == bytes)
    }
  }
}
