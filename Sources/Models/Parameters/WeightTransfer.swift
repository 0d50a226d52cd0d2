// SPDX-License-Identifier: Apache-2.0

import Base

/// Which weights of a model were taken from a file of another one, and why the rest was not.
package struct WeightTransfer: Sendable, Equatable {
  /// A weight that keeps its first values.
  package struct Left: Sendable, Equatable, Codable {
    /// The weight of the model.
    package let name: String
    /// Why nothing was copied.
    package let reason: String
  }

  /// The weights whose values are now the file's, in the order of the model.
  package internal(set) var copied: [String] = []
  /// The weights that are as they were, in the order of the model.
  package internal(set) var left: [Left] = []
  /// Tensors of the file that have no place in the model, in the order of the file.
  package internal(set) var unused: [String] = []
}

extension Classifier {
  /// Takes the values of all weights that a file has under the same name in the same shape.
  ///
  /// - Parameters:
  ///   - file: weights of any model.
  ///   - path: where they come from, for messages.
  /// - Throws: `UserError(.badData)` where a number is not finite, or no weight fits; nothing is changed
  ///   then.
  package func copyWeights(_ file: SafeTensors, from path: String) throws -> WeightTransfer {
    var transfer = WeightTransfer()
    var values: [(Parameter, [Float])] = []
    for parameter in parameters.ofModel {
      if let reason = parameter.mismatch(file[parameter.name]) {
        transfer.left.append(.init(name: parameter.name, reason: reason))
        continue
      }
      let numbers = try file.floats(parameter.name)
      guard numbers.allSatisfy(\.isFinite) else {
        throw UserError(
          .badData, "\(path): \(parameter.name) holds a number that is not finite",
          remedy: "take the weights of another checkpoint")
      }
      values.append((parameter, numbers))
      transfer.copied.append(parameter.name)
    }
    guard !values.isEmpty else {
      throw UserError(
        .badData,
        "\(path): none of its \(counted(file.entries.count, "tensor")) has the name and shape of a "
          + "weight of this \(configuration.name)",
        remedy: "start from a model of the same width and number of heads")
    }
    for (parameter, numbers) in values { parameters.values.fill(parameter.range, numbers) }
    transfer.unused = file.entries.map(\.name).filter { parameters[$0] == nil }
    return transfer
  }
}

extension Parameter {
  /// Why an array cannot be this weight; nil where it can.
  fileprivate func mismatch(_ entry: SafeTensors.Entry?) -> String? {
    guard let entry else { return "not in the file" }
    if entry.shape != shape { return "\(shape) here, \(entry.shape) there" }
    let floats: Set<SafeTensors.Kind> = [.f32, .f16, .bf16, .f64]
    return floats.contains(entry.kind) ? nil : "\(entry.kind.rawValue) there"
  }
}
