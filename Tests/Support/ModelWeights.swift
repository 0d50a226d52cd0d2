// SPDX-License-Identifier: Apache-2.0

import Models

/// Reading and changing a model's weights by name.
extension Classifier {
  /// The values of a weight; nothing if there is none of this name.
  package func weight(_ name: String) -> [Float] {
    parameters[name].map { parameters.values.values($0.range) } ?? []
  }

  /// Changes the values of a weight.
  ///
  /// - Precondition: there is one of this name and size.
  package func setWeight(_ name: String, _ values: [Float]) {
    guard let parameter = parameters[name], parameter.count == values.count else {
      preconditionFailure("no weight \(name) of \(values.count) values")
    }
    parameters.values.fill(parameter.range, values)
  }

  /// Takes over the values of every weight that both models have.
  package func copyWeights(from source: Classifier) {
    for parameter in source.parameters.all where parameters[parameter.name] != nil {
      setWeight(parameter.name, source.weight(parameter.name))
    }
  }
}
