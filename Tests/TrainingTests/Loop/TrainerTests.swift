// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Models
import Tasks
import TestSupport
import Testing
import Training

@Suite struct TrainerTests {
  private func weights(_ trainer: Trainer) -> [UInt8] { trainer.model.weights().serialized() }

  @Test("Parts of a batch add up to the whole, dropout included")
  func accumulation() throws {
    try withTemporaryFolder { folder in
      let whole = try tinyConfiguration(folder)
      let parts = try tinyConfiguration(folder, ["train.accumulation=3"])
      let (a, b) = (try makeTrainer(whole), try makeTrainer(parts))
      for step in 1...3 {
        let batch = try tinyBatch(whole, step: step)
        let (first, second) = (try a.step(step, batch), try b.step(step, batch))
        #expect(abs(first.loss - second.loss) < 1e-5)
        #expect(abs(first.gradientNorm - second.gradientNorm) < 1e-4 * first.gradientNorm)
      }
    }
  }

  @Test(
    "However many share the shards of a batch, weights, loss and norm have the same bits",
    arguments: ["transformer", "s4d", "bigbird"])
  func shards(model: String) throws {
    try withTemporaryFolder { folder in
      let configurations = try [1, 2, 4, 8].map {
        try tinyConfiguration(
          folder, model: model,
          ["train.batch=12", "train.shards=8", "train.accumulation=\($0)", "model.dropout=0.2"])
      }
      let trainers = try configurations.map(makeTrainer)
      let whole = try makeTrainer(
        tinyConfiguration(folder, model: model, ["train.batch=12", "model.dropout=0.2"]))
      for step in 1...3 {
        let batch = try tinyBatch(configurations[0], step: step)
        let reports = try trainers.map { try $0.step(step, batch) }
        #expect(Set(reports.map(\.loss)).count == 1)
        #expect(Set(reports.map(\.gradientNorm)).count == 1)
        let expected = try whole.step(step, batch)
        #expect(reports[0].correct == expected.correct)
        #expect(abs(reports[0].loss - expected.loss) < 1e-5)
        #expect(
          abs(reports[0].gradientNorm - expected.gradientNorm) < 1e-4 * expected.gradientNorm)
      }
      let weights = trainers.map(weights)
      #expect(weights.dropFirst().allSatisfy { $0 == weights[0] })
    }
  }

  @Test(
    "Running statistics move towards the mean of those of the shards, whoever shares them",
    arguments: [1, 2, 4])
  func shardStatistics(ranks: Int) throws {
    try withTemporaryFolder { folder in
      let settings = [
        "model.norm=batch", "model.feed-forward=0", "model.dropout=0", "train.batch=12",
      ]
      let whole = try tinyConfiguration(folder, model: "fnet", settings)
      let batch = try tinyBatch(whole, step: 1)
      // A step on each shard alone moves the first block's mean by a tenth of the way to its own.
      func mean(_ trainer: Trainer) throws -> [Float] {
        let all = trainer.model.parameters.all
        return try #require(all.first { $0.name == "blocks.0.mixer.norm.mean" }).values
      }
      let cut = BatchCut(shards: 4, accumulation: 1)
      let alone = try (0..<4).map { shard in
        let trainer = try makeTrainer(whole)
        for part in cut.parts(of: shard, batch, towers: 1) {
          _ = try trainer.step(1, part.batch)
        }
        return try mean(trainer)
      }
      let shared = try tinyConfiguration(folder, model: "fnet", settings + ["train.shards=4"])
      let results = ThreadRank.run(ranks) { rank -> [UInt8]? in
        guard let model = try? shared.makeModel() else { return nil }
        let trainer = Trainer(model, shared.training, group: rank)
        for step in 1...2 { _ = try? trainer.step(step, batch) }
        return trainer.model.weights().serialized()
      }
      let one = try makeTrainer(shared)
      _ = try one.step(1, batch)
      for (c, value) in try mean(one).enumerated() {
        #expect(abs(value - alone.reduce(0) { $0 + $1[c] } / 4) < 1e-6)
      }
      _ = try one.step(2, batch)
      #expect(results.allSatisfy { $0 == weights(one) })
    }
  }

  @Test("Two trainers of one seed stay equal to the bit, of two seeds differ")
  func determinism() throws {
    try withTemporaryFolder { folder in
      let configuration = try tinyConfiguration(folder)
      let other = try tinyConfiguration(folder, ["train.seed=1"])
      let trainers = [
        try makeTrainer(configuration), try makeTrainer(configuration), try makeTrainer(other),
      ]
      for step in 1...3 {
        let batch = try tinyBatch(configuration, step: step)
        for trainer in trainers { _ = try trainer.step(step, batch) }
      }
      #expect(weights(trainers[0]) == weights(trainers[1]))
      #expect(weights(trainers[0]) != weights(trainers[2]))
    }
  }

  @Test(
    "Timing a step leaves no trace in weights, moments, statistics and draws",
    arguments: VariantCatalog.all.map(\.name))
  func timing(model: String) throws {
    try withTemporaryFolder { folder in
      let configuration = try tinyConfiguration(
        folder, model: model, ["model.norm=batch", "model.feed-forward=0"])
      let (timed, other) = (try makeTrainer(configuration), try makeTrainer(configuration))
      _ = timed.secondsPerStep(try tinyBatch(configuration, step: 1))
      #expect(weights(timed) == weights(other))
      for step in 1...2 {
        let batch = try tinyBatch(configuration, step: step)
        for trainer in [timed, other] { _ = try trainer.step(step, batch) }
        #expect(weights(timed) == weights(other))
      }
      for parameter in timed.model.parameters.all {
        let moments = [timed, other].map { $0.optimizer.moments.values(parameter.range) }
        #expect(moments[0].first == moments[1].first && moments[0].second == moments[1].second)
      }
    }
  }

  @Test("A weight that is not finite stops the run and names step and operation")
  func notFinite() throws {
    try withTemporaryFolder { folder in
      let configuration = try tinyConfiguration(folder)
      let trainer = try makeTrainer(configuration)
      let weight = try #require(trainer.model.parameters["blocks.1.feed-forward.inner.bias"])
      trainer.model.parameters.values.fill(
        weight.range, [Float](repeating: .infinity, count: weight.count))
      let batch = try tinyBatch(configuration, step: 7)
      let error = userError { _ = try trainer.step(7, batch) }
      #expect(error?.kind == .failed)
      #expect(error?.problem.contains("step 7: the loss is") == true)
      #expect(error?.problem.contains("result is feed-forward") == true)
    }
  }

  @Test("AdamW follows the reference for ten steps")
  func adamW() throws {
    let fixture = try Fixture("transformer-mean")
    let reference = try Fixture.file("adamw")
    let model = try fixture.makeModel()
    let optimizer = AdamW(
      model.parameters,
      AdamW.Settings(
        weightDecay: 0.01, decayVectors: false, beta2: 0.999, epsilon: 1e-6, clip: 0))
    for expected in try reference.floats("losses") {
      let loss = fixture.loss(model)
      #expect(abs(loss.scalar - expected) < 2e-5)
      loss.backward()
      _ = optimizer.update(rate: 1e-3, beta1: 0.9)
    }
    for parameter in model.parameters.all {
      let found = model.parameters.values.values(parameter.range)
      let expected = try reference.floats("parameter.\(parameter.name)")
      #expect(distance(found, expected) < 2e-5, "\(parameter.name)")
    }
  }

  @Test("Gradients are scaled down to the clipping norm")
  func clipping() throws {
    let fixture = try Fixture("linear-mean")
    let change = { (clip: Double) -> Float in
      let model = try fixture.makeModel()
      let before = model.parameters.all.map { model.parameters.values.values($0.range) }
      let optimizer = AdamW(
        model.parameters,
        AdamW.Settings(weightDecay: 0, decayVectors: false, beta2: 0.999, epsilon: 1, clip: clip))
      fixture.loss(model).backward()
      let norm = optimizer.update(rate: 1, beta1: 0.9)
      #expect(norm > 0.1)
      return zip(model.parameters.all, before).reduce(0) {
        max($0, distance(model.parameters.values.values($1.0.range), $1.1))
      }
    }
    // With ε = 1 the step is nearly proportional to the gradient.
    let (free, clipped) = (try change(0), try change(0.01))
    #expect(clipped < free / 5)
  }
}
