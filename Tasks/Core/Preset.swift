import Base

/// One hyper-parameter of a preset, and where its value comes from.
public struct PresetValue: Sendable, Equatable {
  /// The configuration key, as `train.steps`.
  public let key: String
  /// The value.
  public let value: Setting
  /// The publication, the code with its revision, or "ours" with the reason.
  public let source: String

  /// One value with its source.
  public init(_ key: String, _ value: Setting, source: String) {
    self.key = key
    self.value = value
    self.source = source
  }
}

/// A named set of hyper-parameters for one task.
public struct Preset: Sendable {
  /// The name after `--preset`.
  public let name: String
  /// What it is for, one sentence.
  public let summary: String
  /// Whether results may stand beside published ones.
  public let comparable: Bool
  /// The values for every model.
  public let values: [PresetValue]
  /// What single models change or add, by the model's name.
  public let overrides: [String: [PresetValue]]

  /// A preset; its name is unique within the task.
  public init(
    name: String, summary: String, comparable: Bool, values: [PresetValue],
    overrides: [String: [PresetValue]] = [:]
  ) {
    self.name = name
    self.summary = summary
    self.comparable = comparable
    self.values = values
    self.overrides = overrides
  }

  /// The values for one model, overrides applied.
  public func values(for model: String) -> [PresetValue] {
    Self.replacing(values, with: overrides[model] ?? [])
  }

  /// Values of which some are replaced, by key, or added.
  static func replacing(_ values: [PresetValue], with own: [PresetValue]) -> [PresetValue] {
    let changed = Set(own.map(\.key))
    return values.filter { !changed.contains($0.key) } + own
  }
}
