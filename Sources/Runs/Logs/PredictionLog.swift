// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Tasks

/// An evaluation that can be interrupted: answers are added to a partial file, and the file takes its
/// name when all are there.
///
/// The first line of the partial file says what is evaluated; another evaluation does not go on with
/// it. What a killed process wrote of a line is cut off.
package final class PredictionLog {
  /// What is evaluated.
  package struct Header: Codable, Sendable, Equatable {
    /// The checksum of the weights' file.
    package var weights: UInt32
    /// The hash of the data.
    package var data: String
    /// Examples of the split.
    package var count: Int

    /// What is evaluated.
    ///
    /// - Throws: `UserError` when the weights cannot be read.
    package init(weightsFile: String, data: String, count: Int) throws {
      weights = CRC32C.checksum(try readFile(weightsFile))
      self.data = data
      self.count = count
    }
  }

  /// The answers so far, those of an earlier call included.
  package private(set) var predictions: [Prediction] = []
  private let path: String
  private let file: AppendingFile
  private var partial: String { "\(path).part" }

  /// Opens the partial file beside `path`, to go on with where it is of the same evaluation.
  ///
  /// - Throws: `UserError(.cannotWrite)`.
  package init(path: String, _ header: Header) throws {
    self.path = path
    let partial = "\(path).part"
    var kept = Array(try JSONEncoder().encode(header)) + [UInt8(ascii: "\n")]
    let written = FileManager.default.contents(atPath: partial) ?? Data()
    // The part behind the last line end is torn.
    let lines = written.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .dropLast()
    let found = lines.first.flatMap { try? JSONDecoder().decode(Header.self, from: Data($0)) }
    if found == header {
      for line in lines.dropFirst() {
        guard let prediction = try? SnakeCaseJSON.checked(Prediction.self, from: line),
          prediction.id == predictions.count
        else { break }
        predictions.append(prediction)
        kept += Array(line) + [UInt8(ascii: "\n")]
      }
    }
    try writeAtomically(kept, to: partial)
    file = try AppendingFile(linesAt: partial)
  }

  /// Adds the next answer.
  package func append(_ prediction: Prediction) throws {
    try file.append(PredictionFile.line(prediction))
    predictions.append(prediction)
  }

  /// Puts the whole file into its place.
  package func finish() throws {
    try writeAtomically(predictions.flatMap(PredictionFile.line), to: path)
    FileSystem.remove(partial)
  }
}
