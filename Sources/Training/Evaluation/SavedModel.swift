// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Models
import Runs
import Tasks

/// A trained model read back from a run's folder, or from any folder with its `config.json` and
/// `model.safetensors`.
package struct SavedModel {
  /// The run's settings.
  package let configuration: RunConfiguration
  /// The model with the checkpoint's weights.
  package let model: Classifier
  /// The file the weights came from.
  package let file: String
  /// What to tell the user, if not everything was as expected.
  package let message: String?

  /// Reads a folder.
  ///
  /// - Parameters:
  ///   - path: the folder.
  ///   - choice: which checkpoint; a folder without checkpoints has only one.
  ///   - dataFolder: where data lives.
  /// - Throws: `UserError` that says what is missing or does not fit.
  package init(_ path: String, choice: CheckpointChoice, dataFolder: String) throws {
    let folder = try RunFolder.open(path)
    configuration = try RunConfiguration(folder.settings(), dataFolder: dataFolder)
    (file, message) = try folder.weights(choice)
    model = try configuration.makeModel()
    model.parameters.tracksGradients = false
    try model.load(file)
  }
}
