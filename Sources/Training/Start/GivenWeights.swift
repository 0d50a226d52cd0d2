// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Models
import Runs

/// Weights that a setting names: those of a run, or of a file.
package struct GivenWeights {
  /// The file.
  package let file: String
  /// The SHA-256 of its bytes.
  package let hash: String
  /// The tensors.
  package let tensors: SafeTensors

  /// Reads what a setting names.
  ///
  /// - Parameters:
  ///   - path: the folder of a run, whose best checkpoint counts, or a safetensors file.
  ///   - key: the setting, for messages.
  /// - Throws: `UserError` for a folder without a run, a run that is going on, and a damaged file.
  package init(_ path: String, key: String) throws {
    file = try FileSystem.isFolder(path) ? Self.weights(ofRun: path, key: key) : path
    let bytes = try readFile(file)
    hash = SHA256.hexadecimal(of: bytes)
    tensors = try Bitmask.expanded(SafeTensors(bytes, name: file), path: file)
  }

  private static func weights(ofRun path: String, key: String) throws -> String {
    let folder = try RunFolder.open(path)
    if folder.isInUse {
      throw UserError(
        .unavailable, "\(key): \(path) is still being trained",
        remedy: "wait for its end, or stop it")
    }
    return try folder.weights(.best).file
  }
}

extension RunFolder {
  /// The file with the weights of a checkpoint, or with the only ones that there are.
  ///
  /// - Returns: the file, and what to tell the user if it is not the one asked for.
  /// - Throws: `UserError` where there is none, or it is damaged.
  package func weights(_ choice: CheckpointChoice) throws -> (file: String, message: String?) {
    if FileSystem.exists(checkpoints) {
      let (checkpoint, message) = try loadCheckpoint(choice)
      return (checkpoint.file("model.safetensors"), message)
    }
    let single = file("model.safetensors")
    guard FileSystem.exists(single) else {
      throw UserError(
        .missingInput, "\(single): no such file",
        remedy: "put the checkpoint's model.safetensors beside its config.json")
    }
    return (single, nil)
  }
}
