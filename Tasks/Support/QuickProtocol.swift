import Base

/// What the presets `quick` have in common: a training that ends within minutes.
enum QuickProtocol {
  /// What single models add for every task.
  static let overrides = ["linformer": [value("model.projected", 64)]]
    .merging(RecurrenceProtocol.small) { $1 }

  static func value(_ key: String, _ value: Setting) -> PresetValue {
    PresetValue(key, value, source: "ours: reduced so that a run is short")
  }

  static func training(
    steps: Int = 600, warmup: Int = 100, evalEvery: Int = 200
  ) -> [PresetValue] {
    [
      value("train.steps", .integer(steps)), value("train.learning-rate", 1e-3),
      value("train.warmup", .integer(warmup)), value("train.eval-every", .integer(evalEvery)),
      value("train.checkpoint-every", .integer(evalEvery)),
    ]
  }
}
