import Foundation
import Testing
import Training

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
