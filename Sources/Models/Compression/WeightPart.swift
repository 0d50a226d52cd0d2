// SPDX-License-Identifier: Apache-2.0

/// A part of a model's weights, for people who ask where the bytes are.
package struct WeightPart: Sendable, Equatable, Encodable {
  /// What it is: `positions`, `maps of the mixers` and so on.
  package let name: String
  /// Its values.
  package internal(set) var values: Int
  /// Bytes of the values in a file, with the scales of those that are bytes themselves.
  package internal(set) var bytes: Int
}

extension Classifier {
  /// Bytes of all weights in a file.
  package var weightBytes: Int { weightParts.reduce(0) { $0 + $1.bytes } }

  /// The weights by what they are, in the order of the model.
  package var weightParts: [WeightPart] {
    let maps = Set(
      parameters.maps.flatMap { map in
        ["weight", "reduce.weight", "expand.weight"].map { "\(map.path).\($0)" }
      })
    var parts: [WeightPart] = []
    let quantised = quantisedNames
    for parameter in parameters.all {
      let name = Self.part(of: parameter, isMap: maps.contains(parameter.name))
      let bytes =
        quantised.contains(parameter.name)
        ? parameter.count + 4 * parameter.shape[0] : 4 * parameter.count
      if let place = parts.firstIndex(where: { $0.name == name }) {
        parts[place].values += parameter.count
        parts[place].bytes += bytes
      } else {
        parts.append(WeightPart(name: name, values: parameter.count, bytes: bytes))
      }
    }
    return parts
  }

  private static func part(of parameter: Parameter, isMap: Bool) -> String {
    let words = parameter.name.split(separator: ".").map(String.init)
    if words[0] == "embedding" { return words[1] == "position" ? "positions" : "tokens" }
    if ["head", "exits"].contains(words[0]) { return words[0] }
    if isMap {
      return words.contains("mixer") ? "maps of the mixers" : "feed-forward networks"
    }
    if words.contains("norm") || words.last == "bias" { return "norms and biases" }
    // Tables of a mixer, by their own names: projections, sorts, random features.
    let own = words.firstIndex(of: "mixer").map { words.dropFirst($0 + 1) } ?? words[...]
    return own.filter { $0 != "weight" && Int($0) == nil }.joined(separator: ".") + " of the mixers"
  }
}
