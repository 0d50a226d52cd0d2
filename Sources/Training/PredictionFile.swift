import Base
import Foundation
import Tasks

/// The answers to a whole split, one JSON object a line, as `lra evaluate` and the end of a training
/// leave them in a run's folder, for comparisons example by example.
public enum PredictionFile {
  /// The file in a run's folder, as `predictions-test-best.jsonl`.
  public static func path(in folder: String, _ split: Split, _ choice: CheckpointChoice) -> String {
    "\(folder)/predictions-\(split.rawValue)-\(choice.rawValue).jsonl"
  }

  /// The file in a run's folder of answers to other data than the run's, apart from its own, as
  /// `predictions-test-best-data-0123456789abcdef.jsonl`.
  public static func path(
    in folder: String, _ split: Split, _ choice: CheckpointChoice, otherData hash: String
  ) -> String {
    "\(folder)/predictions-\(split.rawValue)-\(choice.rawValue)-data-\(hash).jsonl"
  }

  /// One line.
  package static func line(_ prediction: Prediction) throws -> [UInt8] {
    let encoder = JSONEncoder()
    // The same answers are to be the same bytes.
    encoder.outputFormatting = .sortedKeys
    return Array(try encoder.encode(prediction)) + [UInt8(ascii: "\n")]
  }

  /// Reads a file.
  ///
  /// - Throws: `UserError`, `.missingInput` when there is none, `.badData` with the number of a line
  ///   that is no prediction, or one of other data than the first.
  public static func read(_ path: String) throws -> [Prediction] {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw UserError(
        .missingInput, "\(path): cannot be read", remedy: "make it with lra evaluate")
    }
    let decoder = JSONDecoder()
    let predictions = try data.split(separator: UInt8(ascii: "\n")).enumerated().map {
      number, line in
      guard let prediction = try? decoder.decode(Prediction.self, from: Data(line)),
        prediction.isValid
      else {
        throw UserError(
          .badData, "\(path): line \(number + 1) is no prediction",
          remedy: "remove the file and run lra evaluate again")
      }
      return prediction
    }
    if let number = predictions.firstIndex(where: { $0.data != predictions[0].data }) {
      throw UserError(
        .badData, "\(path): line \(number + 1) is an answer to other data than line 1",
        remedy: "remove the file and run lra evaluate again")
    }
    return predictions
  }
}
