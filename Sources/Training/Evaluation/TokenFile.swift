// SPDX-License-Identifier: Apache-2.0

import Base
import Models

/// Token numbers of padded sequences, or of two together for a model that compares them, read from a safetensors file.
package struct TokenFile {
  /// The sequences without their padding, those that belong together next to each other.
  package let input: PackedTokens

  /// Reads the tensor `tokens`, I32 or I64, [B, L] or for two sequences together [B, 2, L], padded
  /// with zeros at the right.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - model: what the sequences must fit.
  /// - Throws: `UserError(.badData)` naming the row and column that does not fit.
  package init(_ path: String, for model: ModelConfiguration) throws {
    let file = try SafeTensors(contentsOf: path)
    let inner = model.towers == 1 ? [] : [model.towers]
    guard let entry = file["tokens"], let width = entry.shape.last,
      entry.shape.count == 2 + inner.count, Array(entry.shape[1...].dropLast()) == inner
    else {
      let shape = ["B"] + inner.map(String.init) + ["L"]
      throw UserError(
        .badData, "\(path): there is no tensor tokens of shape [\(shape.joined(separator: ", "))]",
        remedy: "write one of type I32 or I64, padded with zeros at the right")
    }
    let rows = entry.shape[0] * model.towers
    let values = try file.integers("tokens")
    var tokens: [Int32] = []
    var offsets = [0]
    for row in 0..<rows {
      let sequence = values[row * width..<(row + 1) * width]
      tokens += try TokenFile.check(Array(sequence), row, path, model)
      offsets.append(tokens.count)
    }
    input = PackedTokens(tokens: tokens, offsets: offsets, capacity: model.length)
  }

  private static func check(
    _ row: [Int64], _ number: Int, _ path: String, _ model: ModelConfiguration
  ) throws -> [Int32] {
    let length = (row.lastIndex { $0 != 0 } ?? -1) + 1
    let fail = { (problem: String, remedy: String) in
      UserError(.badData, "\(path): row \(number) \(problem)", remedy: remedy)
    }
    if length == 0 { throw fail("holds padding only", "leave empty sequences out") }
    if length > model.length {
      throw fail(
        "has \(length) tokens, the model takes \(model.length)", "cut the sequences first")
    }
    for (column, token) in row.prefix(length).enumerated()
    where token < 1 || token >= model.vocabulary {
      throw fail(
        "column \(column) is \(token), not in 1 ..< \(model.vocabulary)",
        "0 is padding and may only follow the real tokens")
    }
    return row.prefix(length).map { Int32($0) }
  }
}
