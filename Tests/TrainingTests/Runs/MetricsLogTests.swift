// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Runs
import Testing

@Suite("MetricsLog")
struct MetricsLogTests {
  @Test("Lines hold step, time and numbers, and read back")
  func roundTrip() throws {
    try withTemporaryFolder { root in
      let path = "\(root)/metrics.jsonl"
      let log = try MetricsLog(path: path, resumingAt: nil)
      try log.start(step: 0, ["task": "listops"])
      try log.record(step: 1, ["train/loss": 2.5, "train/accuracy": 1])
      try log.end(step: 1, status: .done)
      let lines = try #require(contents(path)).split(separator: "\n" as Character)
      #expect(lines.count == 3)
      #expect(lines[0].hasPrefix(#"{"event":"start","schema":1,"step":0,"task":"listops","time":"#))
      #expect(lines[1].contains(#""train/accuracy":1,"train/loss":2.5"#))
      #expect(lines[2].contains(#""status":"done""#))
      let records = try MetricsLog.records(at: path)
      #expect(records.map(\.event) == ["start", nil, "end"])
      #expect(records[1].values == ["train/loss": 2.5, "train/accuracy": 1])
      #expect(records[1].step == 1)
      #expect(abs(try #require(records[1].time) - Date().timeIntervalSince1970) < 100)
      #expect(records[2].texts["status"] == "done")
    }
  }

  @Test("Numbers that JSON cannot hold become null and are listed")
  func nonfinite() throws {
    try withTemporaryFolder { root in
      let path = "\(root)/metrics.jsonl"
      let log = try MetricsLog(path: path, resumingAt: nil)
      try log.record(step: 3, ["b": .nan, "a": -.infinity, "c": 1])
      let text = try #require(contents(path))
      #expect(text.hasPrefix(#"{"a":null,"b":null,"c":1,"nonfinite":["a","b"],"step":3,"#))
      #expect(try MetricsLog.records(at: path).first?.values == ["c": 1])
    }
  }

  @Test("Going on removes later steps, the end and a torn line, then appends")
  func resume() throws {
    try withTemporaryFolder { root in
      let path = "\(root)/metrics.jsonl"
      do {
        let log = try MetricsLog(path: path, resumingAt: nil)
        try log.start(step: 0)
        for step in [10, 20, 30] { try log.record(step: step, ["x": Double(step)]) }
        try log.start(step: 30)
        try log.end(step: 30, status: .stopped)
      }
      let file = try #require(FileHandle(forWritingAtPath: path))
      try file.seekToEnd()
      try file.write(contentsOf: Data(#"{"step":15,"x":"#.utf8))
      try file.close()
      let before = try #require(contents(path)).split(separator: "\n" as Character)
      let log = try MetricsLog(path: path, resumingAt: 20)
      try log.start(step: 20)
      try log.record(step: 21, ["x": 21])
      #expect(try MetricsLog.records(at: path).map(\.step) == [0, 10, 20, 20, 21])
      // What stays, stays as it was to the byte.
      let after = try #require(contents(path)).split(separator: "\n" as Character)
      #expect(Array(after.prefix(3)) == Array(before.prefix(3)))
      #expect(names(in: root) == ["metrics.jsonl"])
    }
  }

  /// The log of a run with a checkpoint after step 20 and a test after its last, step 20 too.
  private func tested(_ path: String) throws -> (bytes: Int, text: String) {
    let log = try MetricsLog(path: path, resumingAt: nil)
    try log.start(step: 0)
    try log.record(step: 20, ["eval/loss": 1])
    let bytes = try log.synchronize()
    let text = try #require(contents(path))
    try log.record(step: 20, ["test/loss": 1, "test/accuracy": 1])
    try log.end(step: 20, status: .done)
    return (bytes, text)
  }

  @Test("Going on keeps the bytes that the checkpoint has seen, or by their words those before it")
  func exactlyOnce() throws {
    try withTemporaryFolder { root in
      let path = "\(root)/metrics.jsonl"
      for isKnown in [true, false] {
        let (bytes, text) = try tested(path)
        let log = try MetricsLog(path: path, resumingAt: 20, bytes: isKnown ? bytes : nil)
        #expect(contents(path) == text)
        #expect(log.message == nil)
      }
    }
  }

  @Test("A log that lost what it had at the checkpoint says so")
  func half() throws {
    try withTemporaryFolder { root in
      let path = "\(root)/metrics.jsonl"
      let (bytes, text) = try tested(path)
      truncate(path, off_t(bytes / 2))
      let log = try MetricsLog(path: path, resumingAt: 20, bytes: bytes)
      let message = try #require(log.message)
      #expect(message.contains("has \(bytes / 2) of the \(bytes) bytes"))
      #expect(text.hasPrefix(try #require(contents(path))))
      try FileManager.default.removeItem(atPath: path)
      #expect(try MetricsLog(path: path, resumingAt: 20, bytes: bytes).message != nil)
    }
  }

  /// A link to itself, since no permission binds the user root.
  @Test("A log that cannot be read is not one that is empty")
  func unreadable() throws {
    try withTemporaryFolder { root in
      let path = "\(root)/metrics.jsonl"
      try FileManager.default.createSymbolicLink(
        atPath: path, withDestinationPath: "metrics.jsonl")
      let error = userError { _ = try MetricsLog(path: path, resumingAt: 20) }
      #expect(error?.problem.hasPrefix("cannot read \(path)") == true)
      #expect(try FileSystem.link(path) == .to("metrics.jsonl"))
    }
  }

  @Test("A fresh run empties an old log, and a missing one is named")
  func fresh() throws {
    try withTemporaryFolder { root in
      let path = "\(root)/metrics.jsonl"
      #expect(userError { _ = try MetricsLog.records(at: path) }?.kind == .missingInput)
      try MetricsLog(path: path, resumingAt: nil).record(step: 1, ["x": 1])
      try MetricsLog(path: path, resumingAt: nil).record(step: 2, ["x": 1])
      #expect(try MetricsLog.records(at: path).map(\.step) == [2])
    }
  }
}
