// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// The run's `metrics.jsonl`: one JSON object a line, appended with one `write` each.
///
/// A record reads `{"step":500,"time":1732387200.123,"train/loss":1.92}`. The first line carries
/// `"event":"start"`, the last one `"event":"end"`. JSON has no word for infinities: such a number
/// is written as `null` and its key listed under `"nonfinite"`. Readers skip a torn last line.
package final class MetricsLog {
  /// One line as read back.
  package struct Record: Sendable, Equatable {
    /// The optimizer step, counted from 1; absent from events that belong to none.
    package var step: Int?
    /// Seconds since 1970.
    package var time: Double?
    /// `start`, `end` or another event's name; absent from plain measurements.
    package var event: String?
    /// The finite numbers, by their slash-separated names.
    package var values: [String: Double] = [:]
    /// The texts.
    package var texts: [String: String] = [:]
  }

  private let file: AppendingFile
  /// What to tell the user, if records of steps that were taken are no longer there.
  package private(set) var message: String?

  /// Opens the log for appending.
  ///
  /// - Parameters:
  ///   - path: the file; made when absent.
  ///   - step: `nil` to start anew, emptying the file; else the step of the checkpoint to go on
  ///     from: what was written later is removed first, so that nothing appears twice.
  ///   - bytes: the file's size at that checkpoint; nil where it is not known.
  /// - Throws: `UserError(.cannotWrite)`, or `.missingInput` for a log that is there and cannot be read.
  package init(path: String, resumingAt step: Int?, bytes: Int? = nil) throws {
    let written = step == nil || FileSystem.isMissing(path) ? Data() : Data(try readFile(path))
    let kept: [UInt8]
    if let step {
      let whole = bytes.flatMap { Self.prefix(of: written, $0) }
      kept = whole ?? Self.records(in: written, until: step)
      if let bytes, written.count < bytes {
        message =
          "\(path) has \(written.count) of the \(bytes) bytes that it had after step \(step); "
          + "the records in between are gone"
      }
    } else {
      kept = []
    }
    if kept.count != written.count || kept.isEmpty { try writeAtomically(kept, to: path) }
    file = try AppendingFile(linesAt: path)
  }

  /// The first bytes of a log, where they end with a line.
  private static func prefix(of written: Data, _ count: Int) -> [UInt8]? {
    let kept = Array(written.prefix(count))
    return kept.count == count && kept.last == UInt8(ascii: "\n") ? kept : nil
  }

  /// The records that belong before a checkpoint, by what they say.
  private static func records(in written: Data, until step: Int) -> [UInt8] {
    var kept: [UInt8] = []
    for line in written.split(separator: UInt8(ascii: "\n")) {
      guard let record = parse(line), record.event != "end", record.step ?? 0 <= step,
        record.values["test/loss"] == nil
      else { continue }
      kept += Array(line) + [UInt8(ascii: "\n")]
    }
    return kept
  }

  /// Waits until all records are on the disk.
  ///
  /// - Returns: the size of the file, bytes.
  /// - Throws: `UserError(.cannotWrite)`.
  package func synchronize() throws -> Int { try file.synchronize() }

  /// Writes the line that opens a run or its continuation.
  ///
  /// - Parameter step: the last step already done, 0 for a fresh run.
  package func start(step: Int, _ fields: [String: Setting] = [:]) throws {
    try event("start", step: step, fields.merging(["schema": 1]) { $1 })
  }

  /// Writes the line that closes a run.
  package func end(step: Int, status: RunStatus) throws {
    try event("end", step: step, ["status": .text(status.rawValue)])
  }

  /// Writes an event other than a measurement, such as a checkpoint.
  package func event(_ name: String, step: Int, _ fields: [String: Setting] = [:]) throws {
    try write(fields.merging(["event": .text(name)]) { $1 }, step: step)
  }

  /// Writes one line of measurements.
  ///
  /// - Parameters:
  ///   - step: the step they belong to, counted from 1.
  ///   - values: numbers by name, such as `train/loss`.
  package func record(step: Int, _ values: [String: Double]) throws {
    try write(values.mapValues(Setting.number), step: step)
  }

  private func write(_ fields: [String: Setting], step: Int) throws {
    var line: [String: Field] = fields.mapValues(Field.plain)
    let broken = fields.keys.filter { key in
      if case .number(let value) = fields[key] { !value.isFinite } else { false }
    }.sorted()
    for key in broken { line[key] = .null }
    if !broken.isEmpty { line["nonfinite"] = .names(broken) }
    line["step"] = .plain(.integer(step))
    line["time"] = .plain(.number((Date().timeIntervalSince1970 * 1000).rounded() / 1000))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    try file.append(Array(try encoder.encode(line)) + [UInt8(ascii: "\n")])
  }

  /// Reads a log, skipping lines that are no record.
  ///
  /// - Throws: `UserError(.missingInput)` when there is no such file.
  package static func records(at path: String) throws -> [Record] { try content(at: path).records }

  /// Reads a log.
  ///
  /// - Returns: the records, and the lines that are none, each with file and number; a torn last line
  ///   is no problem.
  /// - Throws: `UserError(.missingInput)` when there is no such file.
  package static func content(at path: String) throws -> (records: [Record], problems: [String]) {
    guard FileManager.default.fileExists(atPath: path) else {
      throw UserError(
        .missingInput, "\(path): no such log", remedy: "give the folder of a run that was started")
    }
    var (records, problems): ([Record], [String]) = ([], [])
    for line in try LogLine.all(path) {
      do throws(FieldFault) {
        records.append(try record(line.checkedBytes()))
      } catch  where !line.isTorn {
        problems.append("\(path): line \(line.number) is no record: \(error.text)")
      } catch {}
    }
    return (records, problems)
  }

  /// The whole records in the last bytes of a log; none when it cannot be read.
  package static func lastRecords(at path: String, bytes: Int) -> [Record] {
    guard let file = FileHandle(forReadingAtPath: path) else { return [] }
    defer { try? file.close() }
    let size = (try? file.seekToEnd()) ?? 0
    let start = size > UInt64(bytes) ? size - UInt64(bytes) : 0
    try? file.seek(toOffset: start)
    let data = (try? file.readToEnd()) ?? Data()
    return data.split(separator: UInt8(ascii: "\n")).compactMap(parse)
  }

  /// The records of a log that hold a given name, the others being skipped unread.
  package static func records(at path: String, naming name: String) -> [Record] {
    let data = FileManager.default.contents(atPath: path) ?? Data()
    let wanted = Data(name.utf8)
    return data.split(separator: UInt8(ascii: "\n"))
      .filter { $0.range(of: wanted) != nil }.compactMap(parse)
  }

  private static func parse(_ line: Data) -> Record? { try? record(line) }

  /// The record in a line.
  private static func record(_ line: some Sequence<UInt8>) throws(FieldFault) -> Record {
    guard let fields = try? JSONDecoder().decode([String: Field].self, from: Data(line)) else {
      throw FieldFault("it is no JSON object of numbers and texts")
    }
    var record = Record()
    for (key, field) in fields {
      switch (key, field) {
      case ("step", .plain(.integer(let step))): record.step = step
      case ("time", .plain(.number(let time))): record.time = time
      case ("time", .plain(.integer(let time))): record.time = Double(time)
      case ("event", .plain(.text(let name))): record.event = name
      case (_, .plain(.integer(let value))): record.values[key] = Double(value)
      case (_, .plain(.number(let value))): record.values[key] = value
      case (_, .plain(.boolean(let value))): record.values[key] = value ? 1 : 0
      case (_, .plain(.text(let text))): record.texts[key] = text
      case (_, .null), (_, .names): break
      }
    }
    try record.check()
    return record
  }

  private enum Field: Codable {
    case plain(Setting)
    case names([String])
    case null

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if container.decodeNil() {
        self = .null
      } else if let names = try? container.decode([String].self) {
        self = .names(names)
      } else {
        self = .plain(try container.decode(Setting.self))
      }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .plain(let value): try container.encode(value)
      case .names(let names): try container.encode(names)
      case .null: try container.encodeNil()
      }
    }
  }
}

extension MetricsLog.Record {
  /// Checks that numbers are such as can be counted and drawn, by the ends of their names.
  fileprivate func check() throws(FieldFault) {
    try FieldRange.count.check(["step": step])
    try FieldRange.amount.check(["time": time])
    for (name, value) in values.sorted(by: { $0.key < $1.key }) {
      let range: FieldRange =
        name.hasSuffix("accuracy") ? .share : name.hasSuffix("bytes") ? .count : .number
      try range.check([name: value])
    }
  }
}
