// SPDX-License-Identifier: Apache-2.0

import Base
import Tasks

/// Under which conditions a run was made; only runs of one protocol share a table.
///
/// Values that a preset gives to a single model (a rate, a norm) belong to the preset. What a user
/// changed besides the fields here does not part tables, but is told in the row; see `deviations`.
package struct RunConditions: Hashable, Sendable, Comparable {
  /// The task.
  package let task: String
  /// The preset.
  package let preset: String
  /// The longest sequence, in tokens.
  package let length: Int
  /// The hash of the data.
  package let data: String
  /// Where the data came from.
  package let source: String
  /// Training examples.
  package let trainCount: Int
  /// Test examples.
  package let testCount: Int
  /// What the best checkpoint was chosen by: `val`, or `test` as the LRA does for text.
  package let validation: String
  /// Whether inputs alone were learned first: `self-pretrained`, or empty.
  package let pretraining: String
  /// Whether the preset's number of steps was changed; the rows then give theirs.
  package let hasOwnSteps: Bool
  /// Whether the preset's length was changed.
  package let hasOwnLength: Bool

  /// The protocol of a finished run; nil for one without a result.
  package init?(_ run: RunRecord) {
    guard let result = run.result else { return nil }
    task = result.task
    preset = result.preset
    length = result.length
    data = result.dataHash
    source = result.dataSource
    trainCount = result.trainCount
    testCount = result.test.count
    validation = Self.text(run.settings["task.validation"]) == "test" ? "test" : "val"
    pretraining = result.pretraining == nil ? "" : "self-pretrained"
    hasOwnSteps = run.changedKeys.contains("train.steps") || result.steps != result.plannedSteps
    hasOwnLength = run.changedKeys.contains("task.length")
  }

  /// The conditions in a line, for the caption of a table.
  package var summary: String {
    [
      "preset \(presetName)" + (pretraining.isEmpty ? "" : ", \(pretraining)"),
      "up to \(lengthText)", "\(formatCount(trainCount)) training examples",
      validation == "test"
        ? "the best checkpoint chosen on the test split, as in the LRA"
        : "the best checkpoint chosen on validation examples", source,
    ].joined(separator: "; ")
  }

  /// The task as people write it.
  package var taskTitle: String { (try? TaskCatalog.named(task))?.title ?? task }

  /// The length with what a token is: `1,024 bytes`.
  package var lengthText: String {
    let units = ["text": "bytes", "retrieval": "bytes", "image": "pixels"]
    let unit = units[task] ?? (task.hasPrefix("path") ? "pixels" : "tokens")
    return "\(formatCount(length)) \(unit)"
  }

  /// The preset, and whether its number of steps was changed.
  package var presetName: String {
    preset + (hasOwnSteps ? " with another number of steps" : "")
  }

  /// Why figures of this protocol are not those of a publication, nil where they may be compared.
  package var incomparable: String? {
    guard let preset = try? TaskCatalog.named(task).preset(preset) else { return "another preset" }
    if !preset.comparable { return "preset \(preset.name) is not a published one" }
    if !pretraining.isEmpty { return "another protocol, \(pretraining)" }
    let changes = (hasOwnSteps ? ["number of steps"] : []) + (hasOwnLength ? ["length"] : [])
    return changes.isEmpty ? nil : "another \(changes.joined(separator: " and "))"
  }

  /// A name for files and places in a page, such as `accuracy-listops-small-2000`.
  ///
  /// Data and choice of checkpoint are told by four digits of their hash.
  package func id(_ prefix: String) -> String {
    var hash = FNV1a()
    hash.add(Array("\(data) \(trainCount) \(validation)".utf8))
    let digits = String(hash.hexadecimal.suffix(4))
    return ReportTable.identifier(
      "\(prefix)-\(task)-\(preset)-\(length)" + (hasOwnSteps ? "-own-steps" : "")
        + (pretraining.isEmpty ? "" : "-\(pretraining)")
        + "-\(digits)")
  }

  /// By task, preset, length, and what else there is.
  package static func < (a: RunConditions, b: RunConditions) -> Bool { a.order < b.order }

  private var order: String {
    let digits = String(length)
    let padded = String(repeating: "0", count: max(0, 12 - digits.count)) + digits
    let place = TaskCatalog.all.firstIndex { $0.name == task } ?? TaskCatalog.all.count
    return
      "\(place) \(task) \(pretraining) \(hasOwnSteps) \(preset) \(padded) \(data) \(trainCount) \(validation)"
  }

  private static func text(_ setting: Setting?) -> String { setting?.description ?? "" }
}

extension RunRecord {
  /// What the user changed besides what tells protocols apart, as `train.clip=1`.
  ///
  /// A warm-up that is scaled with the steps is no change of its own, and with a rate or batch that
  /// differ from the preset's, two rows are told apart by this.
  package var deviations: [String] {
    var parted: Set = ["train.steps", "task.length", "task.validation"]
    if changedKeys.contains("train.steps") { parted.insert("train.warmup") }
    return changedKeys.filter { !parted.contains($0) }.sorted().map {
      "\($0)=\(settings[$0]?.description ?? "")"
    }
  }
}
