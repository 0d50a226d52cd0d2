// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine
import Runs
import Training

/// A run as its folder tells it, finished or not, or as a line of a `runs.jsonl` does.
package struct RunRecord: Sendable {
  /// One evaluation on the validation split.
  package struct Point: Sendable, Equatable, Encodable {
    /// The optimizer step, counted from 1.
    package var step: Int
    /// The share of right answers, in 0…1.
    package var accuracy: Double
    /// Mean cross-entropy, nats.
    package var loss: Double

    /// A point of a curve.
    package init(step: Int, accuracy: Double, loss: Double) {
      self.step = step
      self.accuracy = accuracy
      self.loss = loss
    }
  }

  /// The folder's last name, or the name in the line.
  package var name: String
  /// Where it is: the folder, or the file and the name, as `runs.jsonl#NAME`.
  package var path: String
  /// The folder, with weights and answers; nil for a line of a file.
  package var folder: String?
  /// Where the run stands; nil where the folder does not say, as a downloaded one.
  package var status: RunStatus?
  /// Every setting.
  package var settings: Settings
  /// The machine and the command; nil where the folder does not say.
  package var environment: RunEnvironment?
  /// What came out; nil before the end.
  package var result: RunResult?
  /// The evaluations on the validation split, in order.
  package var validation: [Point]
  /// Training loss and accuracy as logged, in order.
  package var training: [Point]
  /// The keys whose values are not those of the preset.
  package var changedKeys: [String]
  /// Lines of the log that cannot be used, each with the file and the line's number.
  package var remarks: [String]

  /// Reads a run's folder, or a run of a `runs.jsonl`, as `runs.jsonl#NAME`.
  ///
  /// - Throws: `UserError` when there is no run, or a file of it cannot be understood; the error
  ///   names the file.
  package init(_ path: String) throws {
    if let (runs, name) = RunFile.parts(of: path) {
      let file = try RunFile(runs)
      self = try Self(file.entry(name), of: file)
      return
    }
    if FileSystem.exists(path), !FileSystem.isFolder(path) {
      throw UserError(
        .usage, "\(path): is no run's folder", remedy: "of a file of runs name one: \(path)#NAME")
    }
    let folder = try RunFolder.open(path)
    self.path = path
    self.folder = path
    name = URL(fileURLWithPath: path).standardizedFileURL.lastPathComponent
    status = folder.status
    settings = try folder.settings()
    environment = try Self.read(folder.file("env.json"))
    result = try Self.read(folder.file("result.json"))
    let log = folder.file("metrics.jsonl")
    let content =
      FileManager.default.fileExists(atPath: log)
      ? try MetricsLog.content(at: log) : (records: [], problems: [])
    validation = Self.points(content.records, "eval")
    training = Self.points(content.records, "train")
    remarks = content.problems
    changedKeys = Self.changes(settings)
  }

  /// Takes a run of a file.
  ///
  /// - Throws: `UserError` that names the line, when its settings cannot be used.
  init(_ entry: RunFile.Entry, of file: RunFile) throws {
    let run = entry.run
    name = run.name
    path = "\(file.path)#\(run.name)"
    settings = try Settings(run.config, origin: file.place(entry.line))
    environment = run.env
    result = run.result
    validation = Self.points(run.validation)
    training = Self.points(run.training)
    remarks = []
    changedKeys = Self.changes(settings)
  }

  private static func points(_ curve: PublishedRun.Curve) -> [Point] {
    curve.step.indices.map {
      Point(step: curve.step[$0], accuracy: curve.accuracy[$0], loss: curve.loss[$0])
    }
  }

  /// What the run noted of itself; where it is too old for that, what differs from the preset today.
  private static func changes(_ settings: Settings) -> [String] {
    if let noted = settings["run.changed"] {
      return noted.description.split(separator: " ").map(String.init)
    }
    let text = { (key: String) in settings[key]?.description ?? "" }
    let request = RunConfiguration.Request(
      task: text("task.name"), model: text("model.name"), preset: text("run.preset"),
      dataFolder: "data")
    guard let preset = try? RunConfiguration(request).settings else { return [] }
    return settings.entries.map(\.key).filter { key in
      !key.hasPrefix("run.") && !RunConfiguration.free.contains(key) && preset.contains(key)
        && preset[key]?.isSame(as: settings[key]) != true
    }
  }

  /// Whether a folder holds a run with a result that can be read, of classes or of inputs alone.
  package static func isDone(_ path: String) -> Bool {
    (try? RunFolder.open(path).isFinished) ?? false
  }

  /// The accuracy, in 0…1, of the test split by the rule of the preset; nil before the end.
  package var accuracy: Double? { result?.test.accuracy }

  /// The accuracy, in 0…1, on the validation split of the checkpoint that the result goes by; nil where
  /// it was not kept.
  package var validationAccuracy: Double? {
    guard let result else { return nil }
    if result.select == .last {
      return (result.validationLast ?? result.validation)?.accuracy ?? validation.last?.accuracy
    }
    return result.validationBest?.accuracy ?? validation.map(\.accuracy).max()
  }

  /// The energy of the run's training steps.
  ///
  /// What its counters measured; else what the processor's power amounts to that is stated now, on the
  /// machine that the run was made on; else what was noted when it ended.
  package func energy(_ terms: EnergyTerms) -> EnergyEstimate {
    let noted = result?.energy ?? .none
    guard noted.source != .rapl, terms.tdp != nil, let result, let environment,
      environment.ranks == nil
    else { return noted }
    return terms.energy(
      seconds: result.trainingSeconds, counted: nil, threads: result.threads,
      cores: environment.cores, memoryBytes: environment.memoryBytes)
  }

  private static func points(_ records: [MetricsLog.Record], _ split: String) -> [Point] {
    records.compactMap { record in
      guard let step = record.step, let accuracy = record.values["\(split)/accuracy"],
        let loss = record.values["\(split)/loss"]
      else { return nil }
      return Point(step: step, accuracy: accuracy, loss: loss)
    }
  }

  /// No file of one value may be larger, in bytes.
  private static let largestFile = 1 << 20

  /// A JSON file of the folder, nil when there is none.
  ///
  /// - Throws: `UserError` that names the file and the field that is missing or out of range.
  static func read<Value: CheckedValue>(_ file: String) throws -> Value? {
    guard FileManager.default.fileExists(atPath: file) else { return nil }
    let bytes = try readFile(file, atMost: largestFile)
    do throws(FieldFault) {
      return try SnakeCaseJSON.checked(Value.self, from: bytes)
    } catch {
      throw UserError(
        .badData, "\(file): \(error.text)",
        remedy: "restore the file, or move the folder of this run away")
    }
  }
}
