// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// One saved state of a run, in a folder of its own.
///
/// The file written last, `COMPLETE`, lists the others with their sizes and checksums. Without that
/// file, or against it, nothing in the folder is used.
package struct Checkpoint: Sendable, Equatable {
  /// The folder's path.
  package let path: String

  /// The step after which it was saved, as its name says, or its state where it has another name.
  package var step: Int { Int(name.dropFirst("step-".count)) ?? state?.step ?? 0 }

  /// What the run knew beside the weights; nil where that cannot be read.
  ///
  /// It is not checked against the checksum.
  package var state: TrainingState? {
    FileManager.default.contents(atPath: file(TrainingState.fileName)).flatMap {
      try? JSONDecoder().decode(TrainingState.self, from: $0)
    }
  }

  /// The folder's own name, such as `step-00001000`.
  package var name: String { lastName(of: path) }

  /// The path of one of its files.
  package func file(_ name: String) -> String { "\(path)/\(name)" }

  /// What is wrong with the checkpoint, or `nil` when it is whole.
  ///
  /// - Complexity: reads every file once.
  package func problem() -> String? {
    guard FileSystem.exists(path) else { return "missing" }
    guard let json = FileManager.default.contents(atPath: file(Self.marker)) else {
      return "not complete, the process that wrote it was stopped"
    }
    guard let entries = try? JSONDecoder().decode([String: Summary].self, from: json),
      !entries.isEmpty
    else { return "its list of files, \(Self.marker), cannot be read" }
    for (name, expected) in entries.sorted(by: { $0.key < $1.key }) {
      guard let found = try? Summary(of: file(name)) else {
        return "\(name) \(FileSystem.isMissing(file(name)) ? "is missing" : "cannot be read")"
      }
      if found.bytes != expected.bytes {
        return "\(name) has \(found.bytes) bytes instead of \(expected.bytes)"
      }
      if found.crc32c != expected.crc32c { return "\(name) is damaged (wrong checksum)" }
    }
    return nil
  }

  static let marker = "COMPLETE"

  /// Fills the folder `path`, marker last, everything on the disk on return.
  static func write(_ files: [String: [UInt8]], to path: String) throws {
    _ = try FileSystem.makeNewFolder(path)
    var entries: [String: Summary] = [:]
    for (name, bytes) in files.sorted(by: { $0.key < $1.key }) {
      let file = "\(path)/\(name)"
      try writeAtomically(bytes, to: file)
      entries[name] = try Summary(of: file)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    try writeAtomically(
      Array(try encoder.encode(entries)) + [UInt8(ascii: "\n")], to: "\(path)/\(marker)")
    try FileSystem.synchronize(path)
  }

  /// A file's size and checksum.
  private struct Summary: Codable {
    let bytes: Int
    let crc32c: UInt32

    init(of path: String) throws {
      guard let file = FileHandle(forReadingAtPath: path) else {
        throw UserError.system(.cannotWrite, "cannot write \(path)")
      }
      defer { try? file.close() }
      var crc = CRC32C()
      var size = 0
      while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty {
        crc.update(Array(piece))
        size += piece.count
      }
      bytes = size
      crc32c = crc.value
    }
  }
}
