// SPDX-License-Identifier: Apache-2.0

import Base

extension Classifier {
  /// The weights under their documented names, linear maps as [outputs, inputs]; those of bytes as I8 with
  /// `NAME.scale`, F32 [rows], beside them.
  package func weights() -> SafeTensors { file(parameters.ofModel) }

  /// Weights that serve the training only, nil where there are none.
  package func companionWeights() -> SafeTensors? {
    let companions = parameters.all.filter(\.isCompanion)
    return companions.isEmpty ? nil : file(companions)
  }

  private func file(_ weights: [Parameter]) -> SafeTensors {
    var file = SafeTensors()
    file.metadata = ["format": "pt"]
    let quantised = quantisedNames
    if !quantised.isEmpty {
      file.metadata["lra.quantised"] = "int8-channel-127"
      if configuration.quantised == .int8 { file.metadata["lra.activations"] = "row-dynamic" }
    }
    for parameter in weights {
      let values = parameters.values.values(parameter.range)
      if quantised.contains(parameter.name) {
        file.add(
          parameter.name, shape: parameter.shape, ByteRows(values, rows: parameter.shape[0]))
      } else {
        file.add(parameter.name, shape: parameter.shape, values)
      }
    }
    return file
  }

  /// Replaces the weights by those of a file.
  ///
  /// - Throws: `UserError(.badData)` that names the first weight which is missing, unknown or of
  ///   another shape; nothing is changed then.
  package func load(_ path: String) throws { try load(path, parameters.ofModel) }

  /// Replaces the weights that serve the training only.
  ///
  /// - Throws: as ``load(_:)``.
  package func loadCompanions(_ path: String) throws {
    try load(path, parameters.all.filter(\.isCompanion))
  }

  private func load(_ path: String, _ weights: [Parameter]) throws {
    let file = try Bitmask.expanded(SafeTensors(contentsOf: path), path: path)
    let known = Set(weights.map(\.name))
      .union(file.entries.filter { $0.kind == .i8 }.map { "\($0.name).scale" })
    if let foreign = file.entries.first(where: { !known.contains($0.name) }) {
      throw mismatch(path, "holds \(foreign.name), which a \(configuration.name) has not")
    }
    for parameter in weights {
      guard let entry = file[parameter.name] else {
        throw mismatch(path, "lacks \(parameter.name)")
      }
      if entry.shape != parameter.shape {
        throw mismatch(
          path, "\(parameter.name) is \(entry.shape), but this model needs \(parameter.shape)")
      }
    }
    for parameter in weights {
      parameters.values.fill(parameter.range, try file.floats(parameter.name))
    }
  }

  private func mismatch(_ path: String, _ problem: String) -> UserError {
    UserError(
      .badData, "\(path): \(problem)",
      remedy: "use the folder of a run of model \(configuration.name) with the same settings")
  }
}

extension SafeTensors {
  /// Adds a matrix of bytes as `NAME` and `NAME.scale`.
  fileprivate mutating func add(_ name: String, shape: [Int], _ rows: ByteRows) {
    add(name, shape: shape, rows.bytes)
    add("\(name).scale", shape: [rows.scales.count], rows.scales)
  }
}
