// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// A split, or what several are taken from, prepared on the disk: a gzip-compressed safetensors
/// file.
///
/// `tokens` U8 of all examples, `offsets` I64 with one entry more than examples, `labels` U8. The
/// metadata say how the file was made; gzip's checksum notices damage.
struct PreparedSplit {
  /// How the name of every such file ends.
  static let ending = ".safetensors.gz"

  let path: String
  /// How the examples were made; a file with other metadata is not used.
  let metadata: [String: String]

  /// The examples; nil when there is no such file.
  ///
  /// - Parameters:
  ///   - count: the examples that there must be.
  ///   - longest: the most bytes that an example may have.
  ///   - isValid: whether an example's bytes and label are what the task can have made.
  /// - Throws: `UserError` of kind `badData` when the file is damaged or made in another way.
  func read(
    classes: Int, shift: UInt8 = 0, count: Int, longest: Int,
    isValid: (ArraySlice<UInt8>, UInt8) -> Bool = { _, _ in true }
  ) throws -> PackedExamples? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let file = try SafeTensors(
      Gzip.read(path, limit: Self.largest(count, longest: longest)), name: path)
    let offsets = try file.integers("offsets").map(Int.init)
    guard metadata.allSatisfy({ file.metadata[$0.key] == $0.value }),
      let examples = PackedExamples(
        classes: classes, shift: shift, tokens: try file.bytes("tokens"), offsets: offsets,
        labels: try file.bytes("labels")), examples.count == count
    else {
      throw UserError(
        .badData, "\(path): the file was made in another way", remedy: "remove the file")
    }
    let wrong = (0..<count).first { place in
      examples[place].count > longest || !isValid(examples[place], examples.labels[place])
    }
    if let wrong {
      throw UserError(
        .badData, "\(path): example \(wrong + 1) is none that was written there",
        remedy: "remove the file")
    }
    return examples
  }

  /// The most bytes that a file of so many examples can have: tokens, offsets, labels and the header.
  private static func largest(_ count: Int, longest: Int) -> Int {
    let bytes = Double(count) * (Double(longest) + 9) + 0x1p20
    return bytes < 0x1p62 ? Int(bytes) : .max
  }

  /// Writes the examples, at once under the file's name.
  func write(_ examples: PackedExamples) throws {
    var file = SafeTensors()
    file.metadata = metadata
    file.metadata["content"] = String(examples.contentHash, radix: 16)
    file.add("tokens", shape: [examples.tokens.count], examples.tokens)
    file.add("offsets", shape: [examples.offsets.count], examples.offsets.map(Int64.init))
    file.add("labels", shape: [examples.count], examples.labels)
    try createFolder(parentFolder(of: path))
    try writeAtomically(Gzip.compress(file.serialized()), to: path)
  }
}
