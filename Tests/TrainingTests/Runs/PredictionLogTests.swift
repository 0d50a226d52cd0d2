// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Models
import Runs
import Tasks
import Testing

@Suite("An evaluation that is interrupted")
struct PredictionLogTests {
  private let header = try? JSONDecoder().decode(
    PredictionLog.Header.self, from: Data("{\"weights\":1,\"data\":\"d\",\"count\":3}".utf8))

  private func prediction(_ id: Int) throws -> Prediction {
    let json = "{\"id\":\(id),\"label\":0,\"pred\":0,\"logits\":[\(0.1 * Double(id + 1)),-0.3]}"
    return try JSONDecoder().decode(Prediction.self, from: Data(json.utf8))
  }

  @Test("Goes on after the last whole line and ends with the same bytes and numbers")
  func continues() throws {
    let header = try #require(header)
    try withTemporaryFolder { folder in
      let whole = try PredictionLog(path: "\(folder)/a.jsonl", header)
      for id in 0..<3 { try whole.append(prediction(id)) }
      try whole.finish()
      let path = "\(folder)/b.jsonl"
      try PredictionLog(path: path, header).append(prediction(0))
      // A process that is killed while it writes leaves a torn line.
      let torn = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(path).part"))
      try torn.seekToEnd()
      try torn.write(contentsOf: Data("{\"id\":1,\"la".utf8))
      try torn.close()
      let later = try PredictionLog(path: path, header)
      #expect(later.predictions.map(\.id) == [0])
      for id in 1..<3 { try later.append(prediction(id)) }
      try later.finish()
      #expect(
        FileManager.default.contents(atPath: path)
          == FileManager.default.contents(atPath: "\(folder)/a.jsonl"))
      #expect(Evaluation(later.predictions) == Evaluation(whole.predictions))
      #expect(!FileManager.default.fileExists(atPath: "\(path).part"))
      #expect(try PredictionFile.read(path).count == 3)
    }
  }

  @Test("Other weights or data begin anew")
  func otherWeights() throws {
    let header = try #require(header)
    try withTemporaryFolder { folder in
      let path = "\(folder)/a.jsonl"
      try PredictionLog(path: path, header).append(prediction(0))
      var other = header
      other.weights = 2
      #expect(try PredictionLog(path: path, other).predictions.isEmpty)
      #expect(try PredictionLog(path: path, header).predictions.isEmpty)
    }
  }
}
