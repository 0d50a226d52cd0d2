// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Tasks

/// The answers to a whole split, one JSON object a line, as `lra evaluate` and the end of a training
/// leave them in a run's folder, for comparisons example by example.
package enum PredictionFile {
  /// The file in a run's folder, as `predictions-test-best.jsonl`.
  package static func path(in folder: String, _ split: Split, _ choice: CheckpointChoice) -> String
  {
    "\(folder)/predictions-\(split.rawValue)-\(choice.rawValue).jsonl"
  }

  /// The file in a run's folder of answers to other data than the run's, apart from its own, as
  /// `predictions-test-best-data-0123456789abcdef.jsonl`.
  package static func path(
    in folder: String, _ split: Split, _ choice: CheckpointChoice, otherData hash: String
  ) -> String {
    "\(folder)/predictions-\(split.rawValue)-\(choice.rawValue)-data-\(hash).jsonl"
  }

  /// The file in a run's folder of answers to examples that a user has named, as
  /// `predictions-input-best-data-0123456789abcdef.jsonl`.
  package static func path(
    in folder: String, input hash: String, _ choice: CheckpointChoice
  ) -> String {
    "\(folder)/predictions-input-\(choice.rawValue)-data-\(hash).jsonl"
  }

  /// The same file with answers that left a model by its exits, as
  /// `predictions-test-best-exit-0.95.jsonl`.
  package static func path(_ file: String, leavingAt confidence: Double) -> String {
    file.dropLast(".jsonl".count) + "-exit-\(confidence).jsonl"
  }

  /// One line.
  package static func line(_ prediction: Prediction) throws -> [UInt8] {
    let encoder = JSONEncoder()
    // The same answers are to be the same bytes.
    encoder.outputFormatting = .sortedKeys
    return try SnakeCaseJSON.finite(prediction, encoder) + [UInt8(ascii: "\n")]
  }

  /// Reads a file.
  ///
  /// - Throws: `UserError`, `.missingInput` when there is none, `.badData` with the number of a line
  ///   that is no prediction, or one of other data or with another number of scores than the first.
  package static func read(_ path: String) throws -> [Prediction] {
    guard FileManager.default.fileExists(atPath: path) else {
      throw UserError(
        .missingInput, "\(path): cannot be read", remedy: "make it with lra evaluate")
    }
    var predictions: [Prediction] = []
    for line in try LogLine.all(path) {
      do throws(FieldFault) {
        let prediction = try SnakeCaseJSON.checked(Prediction.self, from: line.checkedBytes())
        try check(prediction, like: predictions.first ?? prediction)
        predictions.append(prediction)
      } catch {
        throw UserError(
          .badData, "\(path): line \(line.number) is no prediction: \(error.text)",
          remedy: "remove the file and run lra evaluate again")
      }
    }
    return predictions
  }

  private static func check(
    _ prediction: Prediction, like first: Prediction
  ) throws(FieldFault) {
    let (count, classes) = (prediction.logits.count, first.logits.count)
    guard count == classes else {
      throw FieldFault("it has \(count) scores, the first has \(classes)")
    }
    guard prediction.data == first.data else {
      throw FieldFault("it is an answer to other data than the first")
    }
  }
}
