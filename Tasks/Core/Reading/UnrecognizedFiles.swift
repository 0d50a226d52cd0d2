// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// What lies in a task's folder that the program neither made nor reads, and that may be meant as data.
struct UnrecognizedFiles {
  private static let endings: Set = [
    "tsv", "csv", "jsonl", "npy", "npz", "png", "bin", "parquet", "arrow", "gz",
    "tgz", "tar", "xz", "bz2", "zst", "zip",
  ]
  static let archives: Set = ["gz", "tgz", "tar", "xz", "bz2", "zst", "zip"]

  let root: String
  /// Names in the folder, sorted.
  let names: [String]

  /// Looks at a folder; a hidden file, or one of the program's own, does not count.
  init(in root: String, known: (String) -> Bool = { _ in false }) {
    self.root = root
    names = FileSystem.names(in: root).filter {
      !$0.hasPrefix(".") && !$0.contains(".tmp-") && !$0.hasSuffix(".safetensors.gz") && !known($0)
        && Self.looksLikeData("\(root)/\($0)")
    }
  }

  /// `a, b and 3 more`.
  var text: String {
    names.count <= 4
      ? names.joined(separator: ", ")
      : names.prefix(3).joined(separator: ", ") + " and \(names.count - 3) more"
  }

  /// The command that unpacks the first archive among them.
  var unpacking: String? {
    names.first { Self.archives.contains(Self.ending($0)) }.map {
      "tar -xf \(shellQuoted("\(root)/\($0)")) -C \(shellQuoted(root))"
    }
  }

  /// Checks that nothing would be passed over if data were generated.
  ///
  /// - Parameter wanted: what a folder must hold to be read.
  /// - Throws: `UserError` of kind `missingInput` that names them.
  func refuse(wanted: [String]) throws {
    guard !names.isEmpty else { return }
    let unpack = unpacking.map { "unpack it: \($0); " } ?? "complete it; "
    throw UserError(
      .missingInput,
      "\(root): \(text) would be passed over: no folder there holds \(wanted.joined(separator: ", "))",
      remedy: unpack + "or, to generate the data, move it away or name another folder with --data")
  }

  /// The error for data that cannot be generated and are not there, with what is there instead.
  func missing(_ what: String, remedy: String) -> UserError {
    UserError(
      .missingInput,
      "there is no \(what) in \(root)" + (names.isEmpty ? "" : ", only \(text)"), remedy: remedy)
  }

  private static func ending(_ name: String) -> String {
    (name as NSString).pathExtension.lowercased()
  }

  private static func looksLikeData(_ path: String) -> Bool {
    FileSystem.isFolder(path)
      ? subfolders(of: path, levels: 2).contains { folder in
        FileSystem.names(in: folder).contains { endings.contains(ending($0)) }
      } : endings.contains(ending(path))
  }
}
