// SPDX-License-Identifier: Apache-2.0

import Base
import Models
import Tasks
import Testing
import Training

@Suite struct RunConfigurationTests {
  private func resolve(
    task: String = "listops", model: String = "linformer", preset: String? = nil,
    _ assignments: [String] = []
  ) throws -> RunConfiguration {
    var request = RunConfiguration.Request(
      task: task, model: model, preset: preset, dataFolder: "data")
    request.assignments = assignments.map { ($0, "--set") }
    return try RunConfiguration(request)
  }

  /// JSON has the number 2.0 as 2.
  @Test("A number that a file has without a fraction may get one")
  func wholeNumbers() throws {
    let written = try resolve(model: "linear", ["train.weight-decay=2.0", "train.steps=7"])
    let file = try Settings(json: written.settings.json(), origin: "config.json")
    #expect(file["train.weight-decay"] == .integer(2))
    let read = try RunConfiguration(file, dataFolder: "data")
    #expect(read.training == written.training)
    #expect(try read.settings.hash() == written.settings.hash())
    let further = try read.compressed(
      read.model.settings, CompressionNotes(), steps: 3, assignments: ["train.weight-decay=0.5"])
    #expect(further.training.weightDecay == 0.5)
    #expect(throws: UserError.self) {
      try read.compressed(
        read.model.settings, CompressionNotes(), steps: 3, assignments: ["train.batch=0.5"])
    }
  }

  @Test("Flags win over the preset, the preset over defaults, and each says where it came from")
  func origins() throws {
    let configuration = try resolve(["model.layers=3"])
    let origin = { (key: String) in
      configuration.settings.entries.first { $0.key == key }?.origin ?? ""
    }
    #expect(configuration.model.layers == 3)
    #expect(origin("model.layers") == "--set")
    #expect(origin("model.projected").hasPrefix("preset small: mlpen/Nystromformer"))
    #expect(origin("train.log-every") == "default")
  }

  @Test(
    "Mistakes name the key and the nearest known ones",
    arguments: [
      ("typo=1", "typo"), ("model.projectd=64", "model.projected"),
      ("train.batch=-1", "train.batch"),
      ("model.heads=5", "model.heads"), ("model.projected=5000", "model.projected"),
      ("model.sharing=all", "model.sharing"), ("train.schedule=onecycle", "train.schedule"),
      ("model.dropout=1", "model.dropout"), ("train.steps=many", "train.steps"),
      ("task.length=0", "length"), ("train.shards=3", "a power of two"),
      ("train.shards=64", "train.batch, 32"), ("train.shards=0", "train.shards"),
    ])
  func mistakes(assignment: String, expected: String) {
    let error = userError { _ = try resolve([assignment]) }
    #expect(error?.description.contains(expected) == true, "\(String(describing: error))")
  }

  @Test(
    "What is kept rounded is not computed with again",
    arguments: [
      ("linformer", "train.checkpoint=1", "train.checkpoint is 1"),
      ("reformer", "model.reversible=true", "model.reversible"),
    ])
  func savedOrComputedAgain(model: String, other: String, expected: String) throws {
    #expect(try resolve(model: model, ["train.saved=bf16"]).training.saved == .bf16)
    let error = userError { _ = try resolve(model: model, ["train.saved=bf16", other]) }
    #expect(error?.problem.contains(expected) == true, "\(String(describing: error))")
  }

  @Test("Shards are shared equally")
  func shards() throws {
    #expect(try resolve(["train.shards=8", "train.accumulation=4"]).training.accumulation == 4)
    let error = userError { _ = try resolve(["train.shards=8", "train.accumulation=3"]) }
    let expected = "train.accumulation is 3, but must be a divisor of train.shards, 8"
    #expect(error?.problem.contains(expected) == true, "\(String(describing: error))")
    // How a batch is cut up changes no protocol.
    #expect(try resolve(["train.shards=8"]).settings.boolean("run.comparable"))
  }

  @Test(
    "Statistics of the batch may be those of its shards, which is noted, not those of other parts")
  func shardStatistics() throws {
    let norm = ["model.norm=batch", "model.feed-forward=0"]
    let changed = try resolve(norm + ["train.shards=8"]).settings.text("run.changed")
    #expect(changed.split(separator: " ").contains("train.shards"))
    let error = userError { _ = try resolve(norm + ["train.accumulation=4"]) }
    #expect(error?.problem.contains("train.accumulation is 4") == true)
  }

  @Test("Unknown tasks, models and presets name the nearest")
  func unknownNames() {
    #expect(userError { _ = try resolve(task: "listop") }?.remedy.contains("listops") == true)
    #expect(userError { _ = try resolve(model: "linfomer") }?.remedy.contains("linformer") == true)
    #expect(userError { _ = try resolve(preset: "smal") }?.remedy.contains("small") == true)
  }

  @Test("A run whose values are not the preset's does not stand beside published results")
  func changes() throws {
    let changed = { (configuration: RunConfiguration) in
      (
        try configuration.settings.text("run.changed"),
        try configuration.settings.boolean("run.comparable")
      )
    }
    #expect(try changed(resolve()) == ("", true))
    let free = ["train.seed=3", "train.eval-every=10", "train.batch=32", "model.layers=2"]
    #expect(try changed(resolve(free)) == ("", true))
    #expect(try changed(resolve(preset: "quick")) == ("", false))
    let other = try resolve(["model.layers=3", "train.batch=16"])
    #expect(try changed(other) == ("model.layers train.batch", false))
    #expect(
      try changed(RunConfiguration(other.settings, dataFolder: "data"))
        == ("model.layers train.batch", false))
    var fitted = other
    try fitted.fit(steps: 100, origin: "--time-limit")
    #expect(
      try changed(fitted) == ("model.layers train.batch train.steps train.warmup", false))
  }

  @Test("A run from before a key existed gets the key's default")
  func olderRuns() throws {
    var older = Settings()
    for entry in try resolve().settings.entries where entry.key != "train.recurrence-rate" {
      older.declare(entry.key, entry.value, origin: entry.origin)
    }
    let read = try RunConfiguration(older, dataFolder: "data")
    #expect(try read.settings.number("train.recurrence-rate") == 1)
  }

  @Test("A task's own settings reach the task, and only that task")
  func taskSettings() throws {
    let origin = { (configuration: RunConfiguration) in
      configuration.settings.entries.first { $0.key == "task.validation" }?.origin
    }
    #expect(try origin(resolve(task: "text"))?.hasPrefix("preset small: ours") == true)
    let chosen = try resolve(task: "text", ["task.validation=test"])
    #expect(origin(chosen) == "--set")
    let again = try RunConfiguration(
      Settings(json: chosen.settings.json(), origin: "config.json"), dataFolder: "data")
    #expect(again.settings["task.validation"] == "test")
    let wrong = userError { _ = try resolve(task: "text", ["task.validation=val"]) }
    #expect(wrong?.problem == "task.validation is \"val\"")
    let other = userError { _ = try resolve(task: "image", ["task.validation=test"]) }
    #expect(other?.problem == "unknown key task.validation in section task")
  }

  @Test("Fewer steps keep the share of the warm-up")
  func warmup() throws {
    #expect(try resolve(["train.steps=100"]).training.schedule.warmup == 20)
    #expect(try resolve(["train.steps=100", "train.warmup=7"]).training.schedule.warmup == 7)
    let late = userError { _ = try resolve(["train.steps=100", "train.warmup=101"]) }
    #expect(late?.problem.hasPrefix("train.warmup is 101") == true)
  }

  @Test("A schedule without an end may stop within its warm-up, as the LRA's retrieval does")
  func longWarmup() throws {
    let paper = try resolve(task: "retrieval", preset: "paper")
    #expect(paper.training.schedule.warmup == 8000 && paper.training.steps == 5000)
    #expect(abs(paper.training.schedule.rate(atStep: 5000) - 3.4938562e-4) < 1e-10)
  }

  @Test("Every preset of every task builds with every model, and its file gives it back")
  func presets() throws {
    for task in TaskCatalog.all {
      for preset in task.presets {
        for variant in VariantCatalog.all {
          let configuration = try resolve(
            task: task.name, model: variant.name, preset: preset.name)
          let json = try configuration.settings.json()
          let again = try RunConfiguration(
            Settings(json: json, origin: "config.json"), dataFolder: "data")
          #expect(again.model == configuration.model)
          #expect(again.training == configuration.training)
        }
      }
    }
  }

  @Test("Parameters at the published sizes")
  func parameterCounts() throws {
    // Counted by the formula of the LRA code with 17 token numbers; Linformer adds 2·K·L a layer.
    let counts = ["transformer": 205_258, "linear": 205_258, "linformer": 2_253_258]
    for (name, expected) in counts {
      let model = try Classifier(resolve(model: name).model, seed: 0)
      #expect(model.parameters.count == expected, "\(name)")
    }
    // 1,218,690 for the LRA code's head on four parts; ours has one layer less and a class token.
    let paper = try resolve(task: "retrieval", model: "transformer", preset: "paper")
    let layer = 512 * 256 + 256 + 256 * 2 + 2 - (512 * 2 + 2)
    #expect(try Classifier(paper.model, seed: 0).parameters.count == 1_218_690 - layer + 128)
  }
}
