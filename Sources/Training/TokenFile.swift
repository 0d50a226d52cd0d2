import Base
import Models

/// Token numbers of padded sequences, read from a safetensors file.
public struct TokenFile {
  /// The sequences without their padding.
  public let input: PackedTokens
  /// The number of sequences.
  public let count: Int

  /// Reads the tensor `tokens`, I32 or I64, [B, L], padded with zeros at the right.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - model: what the sequences must fit.
  /// - Throws: `UserError(.badData)` naming the row and column that does not fit.
  public init(_ path: String, for model: ModelConfiguration) throws {
    let file = try SafeTensors(contentsOf: path)
    guard let entry = file["tokens"], entry.shape.count == 2 else {
      throw UserError(
        .badData, "\(path): there is no tensor tokens of shape [B, L]",
        remedy: "write one of type I32 or I64, padded with zeros at the right")
    }
    let (rows, width) = (entry.shape[0], entry.shape[1])
    let values = try file.integers("tokens")
    var tokens: [Int32] = []
    var offsets = [0]
    for row in 0..<rows {
      let sequence = values[row * width..<(row + 1) * width]
      tokens += try TokenFile.check(Array(sequence), row, path, model)
      offsets.append(tokens.count)
    }
    input = PackedTokens(tokens: tokens, offsets: offsets, capacity: model.length)
    count = rows
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
