// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation
import Models
import Runs

extension Trainer {
  /// The files of a checkpoint.
  func checkpoint(_ state: TrainingState) throws -> [String: [UInt8]] {
    var state = state
    state.beta1Product = optimizer.beta1Product
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    hasCheckpoint = true
    var files = [
      "model.safetensors": try (pruning?.packed(model.weights()) ?? model.weights()).serialized(),
      TrainingState.fileName: Array(try encoder.encode(state)),
    ]
    if hasMoments { files["optimizer.safetensors"] = moments().serialized() }
    files[Self.companions] = model.companionWeights()?.serialized()
    files[Self.pruning] = pruning?.state?.serialized()
    return files
  }

  /// The file of a checkpoint with weights that the objective trains beside the model's.
  private static let companions = "objective.safetensors"
  /// The file of a checkpoint with what is known of weights that are removed.
  private static let pruning = "pruning.safetensors"

  /// Continues from a checkpoint.
  ///
  /// - Throws: `UserError(.badData)` naming the file that does not fit this model.
  func restore(_ checkpoint: Checkpoint) throws -> TrainingState {
    try model.load(checkpoint.file("model.safetensors"))
    if model.companionWeights() != nil {
      try model.loadCompanions(checkpoint.file(Self.companions))
    }
    try pruning?.restore(
      weights: checkpoint.file("model.safetensors"), state: checkpoint.file(Self.pruning))
    if hasMoments { try restoreMoments(checkpoint.file("optimizer.safetensors")) }
    let state = try Self.state(checkpoint.file(TrainingState.fileName))
    hasCheckpoint = true
    optimizer.restore(step: state.step, beta1Product: state.beta1Product)
    return state
  }

  /// Whether checkpoints hold moments: a model of bytes is not trained.
  private var hasMoments: Bool { model.configuration.quantised == .none }

  private func restoreMoments(_ file: String) throws {
    let tensors = try SafeTensors(contentsOf: file)
    for parameter in model.parameters.all {
      let moments = try ["adam.m", "adam.v"].map { moment in
        let name = "\(moment).\(parameter.name)"
        let values = try tensors.floats(name)
        guard values.count == parameter.range.count else {
          throw UserError(
            .badData, "\(file): \(name) has \(values.count) numbers, not \(parameter.range.count)",
            remedy: "the file belongs to another model; restore the checkpoint from a copy")
        }
        return values
      }
      optimizer.moments.fill(parameter.range, first: moments[0], second: moments[1])
    }
  }

  private static func state(_ file: String) throws -> TrainingState {
    let bytes = try readFile(file)
    do throws(FieldFault) {
      return try SnakeCaseJSON.checked(TrainingState.self, from: bytes)
    } catch {
      throw UserError(
        .badData, "\(file): \(error.text)",
        remedy: "restore the checkpoint from a copy, or start the run anew in another folder")
    }
  }

  private func moments() -> SafeTensors {
    var file = SafeTensors()
    file.metadata = ["format": "pt"]
    for parameter in model.parameters.all {
      let values = optimizer.moments.values(parameter.range)
      file.add("adam.m.\(parameter.name)", shape: parameter.shape, values.first)
      file.add("adam.v.\(parameter.name)", shape: parameter.shape, values.second)
    }
    return file
  }
}
