// SPDX-License-Identifier: Apache-2.0

import Base
import Tasks
import Testing

@Suite struct TaskCatalogTests {
  /// The keys that every full preset sets.
  private static let required = [
    "task.length", "model.layers", "model.width", "model.heads", "model.head-width",
    "model.feed-forward", "model.positions", "model.pooling", "model.dropout",
    "model.attention-dropout", "model.head-hidden", "train.steps", "train.batch",
    "train.accumulation", "train.learning-rate", "train.schedule", "train.warmup",
    "train.weight-decay", "train.beta1", "train.beta2", "train.epsilon", "train.clip",
    "train.eval-every", "train.checkpoint-every", "train.seed", "train.select",
  ]

  @Test("Tasks are found by name, mistyped ones by their neighbours")
  func names() throws {
    let entry = try TaskCatalog.named("listops")
    #expect(entry.title == "ListOps")
    #expect(type(of: try entry.make(TaskOptions())) == ListOps.self)
    let error = userError { _ = try TaskCatalog.named("listop") }
    #expect(error == UserError(.usage, "there is no task listop", remedy: "did you mean listops?"))
    let other = userError { _ = try TaskCatalog.named("chess") }
    #expect(other?.remedy.hasPrefix("there are: listops") == true)
    #expect(Set(TaskCatalog.all.map(\.name)).count == TaskCatalog.all.count)
  }

  @Test("Presets are found by name")
  func presets() throws {
    let entry = try TaskCatalog.named("listops")
    #expect(entry.presets.map(\.name) == ["small", "paper", "quick"])
    #expect(entry.presets.map(\.comparable) == [true, true, false])
    #expect(try entry.preset("paper").name == "paper")
    let error = userError { _ = try entry.preset("papper") }
    #expect(error?.problem == "there is no preset papper of task listops")
    #expect(error?.remedy == "did you mean paper?")
  }

  @Test("Every preset sets every key once and names its sources")
  func completeness() {
    for entry in TaskCatalog.all {
      for preset in entry.presets {
        let keys = preset.values.map(\.key)
        #expect(Set(keys).count == keys.count, "\(preset.name)")
        #expect(Set(Self.required).subtracting(keys).isEmpty, "\(preset.name)")
        let all = preset.values + preset.overrides.values.joined()
        #expect(all.allSatisfy { !$0.source.isEmpty && $0.key.contains(".") })
        #expect(!preset.summary.isEmpty)
      }
    }
  }

  @Test("Overrides replace and add values for one model")
  func overrides() throws {
    let preset = Preset(
      name: "p", summary: "s", comparable: true,
      values: [.init("a.x", 1, source: "s"), .init("a.y", 2, source: "s")],
      overrides: ["m": [.init("a.x", 3, source: "o"), .init("a.z", 4, source: "o")]])
    #expect(preset.values(for: "other").map(\.value) == [1, 2])
    #expect(
      preset.values(for: "m").map(\.key) == ["a.y", "a.x", "a.z"]
        && preset.values(for: "m").map(\.value) == [2, 3, 4])
    let small = try TaskCatalog.named("listops").preset("small").values(for: "linformer")
    #expect(small.last?.key == "model.projected" && small.last?.value == 256)
  }

  @Test("The default preset is that of the Nyströmformer paper")
  func small() throws {
    let values = try TaskCatalog.named("listops").preset("small").values
    let settings = Dictionary(uniqueKeysWithValues: values.map { ($0.key, $0.value) })
    #expect(settings["model.layers"] == 2 && settings["model.width"] == 64)
    #expect(settings["train.steps"] == 5000 && settings["train.learning-rate"] == 1e-4)
    #expect(settings["train.schedule"] == "one-cycle" && settings["task.length"] == 2000)
  }

  @Test("Presets follow their sources where the tasks differ")
  func differences() throws {
    let value = { (task: String, preset: String, model: String, key: String) in
      try TaskCatalog.named(task).preset(preset).values(for: model).last { $0.key == key }?.value
    }
    #expect(try value("text", "small", "linear", "task.length") == 4096)
    #expect(try value("text", "paper", "linear", "task.length") == 4000)
    #expect(try value("text", "small", "linear", "train.warmup") == 8000)
    #expect(try value("image", "small", "linear", "train.batch") == 256)
    #expect(try value("retrieval", "small", "linear", "train.steps") == 30_000)
    #expect(try value("retrieval", "paper", "linear", "train.warmup") == 8000)
    #expect(try value("retrieval", "paper", "s4d", "model.head-hidden") == 256)
    #expect(try value("retrieval", "quick", "lru", "model.head-hidden") == 128)
    #expect(try value("image", "paper", "linear", "model.head-width") == 8)
    #expect(try value("image", "paper", "local", "model.pooling") == "mean")
    #expect(try value("image", "paper", "reformer", "model.layers") == 4)
    #expect(try value("pathfinder", "small", "linear", "train.steps") == 62_400)
    #expect(try value("pathfinder", "paper", "bigbird", "model.head-width") == 16)
    #expect(try value("pathfinder", "paper", "s4d", "train.recurrence-rate") == 0.25)
    #expect(try value("pathx", "paper", "linear", "train.clip") == 1)
    for task in TaskCatalog.all where !task.published.isEmpty || task.name == "pathx" {
      #expect(task.presets.map(\.name) == ["small", "paper", "quick"])
      // Nobody has published small models on Path-X.
      #expect(task.presets.map(\.comparable) == [task.name != "pathx", true, false])
    }
  }

  @Test("Published results are percentages, one for each model and source")
  func published() {
    for entry in TaskCatalog.all {
      #expect(entry.published.allSatisfy { 0 < $0.accuracy && $0.accuracy < 100 })
      #expect(Set(entry.published.map { $0.model + $0.source }).count == entry.published.count)
    }
    for (published, accuracies) in [
      (ListOpsPresets.published, [36.37, 37.10]), (TextPresets.published, [64.27, 65.02]),
      (ImagePresets.published, [42.44, 38.20]), (RetrievalPresets.published, [57.46, 79.35]),
      (PathfinderPresets.published, [71.40, 74.16]),
    ] {
      #expect(published.count == 16)
      #expect(published.filter { $0.model == "transformer" }.map(\.accuracy) == accuracies)
    }
  }
}
