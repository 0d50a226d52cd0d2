import Base
import Foundation

/// A split, or what several are taken from, prepared on the disk: a gzip-compressed safetensors
/// file.
///
/// `tokens` U8 of all examples, `offsets` I64 with one entry more than examples, `labels` U8. The
/// metadata say how the file was made; gzip's checksum notices damage.
struct PreparedSplit {
  let path: String
  /// How the examples were made; a file with other metadata is not used.
  let metadata: [String: String]

  /// The examples; nil when there is no such file.
  ///
  /// - Throws: `UserError` of kind `badData` when the file is damaged or made in another way.
  func read(classes: Int, shift: UInt8 = 0) throws -> PackedExamples? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let file = try SafeTensors(Gzip.read(path), name: path)
    let offsets = try file.integers("offsets").map(Int.init)
    guard metadata.allSatisfy({ file.metadata[$0.key] == $0.value }),
      let examples = PackedExamples(
        classes: classes, shift: shift, tokens: try file.bytes("tokens"), offsets: offsets,
        labels: try file.bytes("labels"))
    else {
      throw UserError(
        .badData, "\(path): the file was made in another way", remedy: "remove the file")
    }
    return examples
  }

  /// Writes the examples, at once under the file's name.
  func write(_ examples: PackedExamples) throws {
    var file = SafeTensors()
    file.metadata = metadata
    file.metadata["content"] = String(examples.contentHash, radix: 16)
    file.add("tokens", shape: [examples.tokens.count], examples.tokens)
    file.add("offsets", shape: [examples.offsets.count], examples.offsets.map(Int64.init))
    file.add("labels", shape: [examples.count], examples.labels)
    try writeAtomically(Gzip.compress(file.serialized()), to: path)
  }
}
