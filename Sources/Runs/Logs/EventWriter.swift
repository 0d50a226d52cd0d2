// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// Writes scalars for TensorBoard: one `events.out.tfevents.*` file for each start of a run.
///
/// Nothing reaches the disk before `flush()`. A record cut off at the end is ignored by readers.
package final class EventWriter {
  private let file: AppendingFile
  private var pending: [UInt8] = []

  /// Opens a new event file in `folder`.
  ///
  /// - Parameters:
  ///   - folder: the run folder.
  ///   - firstStep: the first step to be written; points that an earlier file holds from there on
  ///     are dropped by TensorBoard.
  /// - Throws: `UserError(.cannotWrite)`.
  package init(folder: String, firstStep: Int = 1) throws {
    let now = Date().timeIntervalSince1970
    let stem =
      "\(folder)/events.out.tfevents.\(Int(now)).\(ProcessInfo.processInfo.hostName)"
      + ".\(ProcessInfo.processInfo.processIdentifier)"
    var counter = 0
    while FileManager.default.fileExists(atPath: "\(stem).\(counter)") { counter += 1 }
    file = try AppendingFile(path: "\(stem).\(counter)")
    add(EventEncoding.fileVersion, step: 0)
    add(EventEncoding.sessionStart, step: firstStep)
    try flush()
  }

  /// The file being written.
  package var path: String { file.path }

  /// Adds the values of one step.
  ///
  /// - Parameters:
  ///   - step: counted from 1.
  ///   - values: numbers by name, such as `train/loss`.
  package func scalars(step: Int, _ values: [String: Double]) {
    let sorted = values.sorted { $0.key < $1.key }.map { (tag: $0.key, value: $0.value) }
    add(EventEncoding.scalars(sorted), step: step)
  }

  /// Adds the run's configuration for the page that compares hyper-parameters.
  ///
  /// - Parameters:
  ///   - settings: the configuration in force.
  ///   - group: runs with the same name are averaged there, so pass the hash of the configuration
  ///     without the seed.
  package func hyperparameters(_ settings: Settings, group: String) {
    var start = ProtoMessage()
    for entry in settings.entries {
      var value = ProtoMessage()
      switch entry.value {
      case .boolean(let flag): value.add(4, flag ? 1 : 0)
      case .integer(let integer): value.add(2, Double(integer))
      case .number(let number): value.add(2, number)
      case .text(let text): value.add(3, text)
      }
      var pair = ProtoMessage()
      pair.add(1, entry.key)
      pair.add(2, value)
      start.add(1, pair)
    }
    start.add(4, group)
    start.add(5, Date().timeIntervalSince1970)
    var data = ProtoMessage()
    data.add(3, start)
    add(
      EventEncoding.hyperparameters(tag: "_hparams_/session_start_info", data), step: 0)
  }

  /// Writes what has been added to the file.
  ///
  /// - Throws: `UserError(.cannotWrite)`.
  package func flush() throws {
    try file.append(pending)
    pending = []
  }

  private func add(_ content: ProtoMessage, step: Int) {
    pending += EventEncoding.record(
      EventEncoding.event(wallTime: Date().timeIntervalSince1970, step: step, content))
  }
}
