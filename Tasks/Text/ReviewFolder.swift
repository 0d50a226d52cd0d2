// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// One folder of reviews as the archive unpacks it, such as `train/pos`: a text file each, named by
/// its number and the stars given, `<id>_<stars>.txt`.
package struct ReviewFolder {
  /// One file, before it is read.
  package struct Review {
    package let name: String
    package let id: Int
    package let stars: Int
  }

  /// No review may be larger, in bytes; the longest genuine one has 13,704.
  package static let largest = 16 << 20

  package let path: String
  /// By id, then by stars.
  package let reviews: [Review]

  /// Lists a folder and checks every name; hidden files do not count.
  ///
  /// - Parameter stars: what a name may say.
  /// - Throws: `UserError` that names the folder or the file.
  package init(_ path: String, stars: ClosedRange<Int>) throws {
    self.path = path
    let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if folder < 0 { throw UserError.system(.missingInput, "cannot read \(path)") }
    defer { close(folder) }
    let names = try FileManager.default.contentsOfDirectory(atPath: path)
    reviews = try names.filter { !$0.hasPrefix(".") }.map { name in
      let file = "\(path)/\(name)"
      let (id, given) = try Self.parsed(name, file, stars)
      try Self.check(folder, name, file)
      return Review(name: name, id: id, stars: given)
    }.sorted { ($0.id, $0.stars) < ($1.id, $1.stars) }
    guard !reviews.isEmpty else {
      throw UserError(
        .badData, "\(path): there are no reviews in the folder", remedy: "unpack the archive again")
    }
  }

  /// Reads every review: without the blanks at its ends, and cut to a length.
  ///
  /// Blanks are what Python's `bytes.strip` removes, which TensorFlow Datasets calls
  /// (tensorflow/datasets @0560e68, text/imdb.py): a no-break space or an ellipsis stays.
  ///
  /// - Throws: `UserError` for a file that cannot be read, or that holds nothing but blanks.
  package func read(into examples: inout PackedExamples, length: Int, label: UInt8) throws {
    for review in reviews {
      let file = "\(path)/\(review.name)"
      let text = trimmed(try readFile(file)[...])
      guard !text.isEmpty else {
        throw UserError(
          .badData, "\(file): the review is empty",
          remedy: "unpack the archive again, or remove the file")
      }
      examples.append(text.prefix(length), label: label)
    }
  }

  /// The id and the stars in a file's name.
  private static func parsed(
    _ name: String, _ file: String, _ allowed: ClosedRange<Int>
  ) throws -> (id: Int, stars: Int) {
    let parts = name.hasSuffix(".txt") ? name.dropLast(4).split(separator: "_") : []
    guard parts.count == 2, let id = Int(parts[0]), let stars = Int(parts[1]),
      name == "\(id)_\(stars).txt", id >= 0
    else {
      throw UserError(
        .badData, "\(file): the name is not <id>_<stars>.txt",
        remedy: "remove the file if it is no review, or unpack the archive again")
    }
    guard allowed.contains(stars) else {
      throw UserError(
        .badData,
        "\(file): the name says \(stars) stars, but this folder is for "
          + "\(allowed.lowerBound) to \(allowed.upperBound)",
        remedy: "unpack the archive again")
    }
    return (id, stars)
  }

  /// Checks that this is a regular file, or a link to one, of a size that a review can have.
  private static func check(_ folder: Int32, _ name: String, _ file: String) throws {
    var information = stat()
    guard fstatat(folder, name, &information, 0) == 0 else {
      throw UserError.system(.missingInput, "cannot read \(file)")
    }
    guard information.st_mode & S_IFMT == S_IFREG else {
      throw UserError(.badData, "\(file): this is not a file", remedy: "remove it")
    }
    let size = Int(information.st_size)
    guard size <= largest else {
      throw UserError(
        .badData, "\(file): \(size) bytes are too many for a review, at most \(largest) are read",
        remedy: "remove the file, or unpack the archive again")
    }
  }
}
