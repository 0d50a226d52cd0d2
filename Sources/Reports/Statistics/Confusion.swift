// SPDX-License-Identifier: Apache-2.0

import Foundation
import Runs

/// How often each class was taken for each other one.
package struct Confusion: Sendable, Equatable {
  /// Examples by right class, then by the class answered.
  package var counts: [[Int]]

  /// Counts answers.
  ///
  /// - Parameter classes: at least as many as occur.
  package init(_ predictions: [Prediction], classes: Int) {
    counts = Array(repeating: Array(repeating: 0, count: classes), count: classes)
    for prediction in predictions { counts[prediction.label][prediction.pred] += 1 }
  }

  /// The test answers that a run's folder keeps, of the checkpoint that its result goes by; nil for
  /// runs that kept none.
  ///
  /// - Throws: `UserError` when the file is damaged.
  package init?(_ run: RunRecord) throws {
    guard let file = RunComparison.answersFile(run), run.result != nil else { return nil }
    guard FileManager.default.fileExists(atPath: file) else { return nil }
    let predictions = try PredictionFile.read(file)
    let classes = predictions.map(\.logits.count).max() ?? 0
    self.init(predictions, classes: classes)
  }
}
