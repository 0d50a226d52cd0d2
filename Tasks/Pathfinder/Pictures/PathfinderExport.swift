// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// Writes generated pictures as the release has them, so that the original's loaders read them.
///
///     pathfinder32/curv_contour_length_14/imgs/0/sample_0.png, …, metadata/0.npy, …
///
/// A batch has 1,000 pictures; those for training come first, those for the test last. The folder
/// gets its name when it is complete.
struct PathfinderExport {
  private static let batch = 1000

  let generator: PathfinderGenerator
  /// The numbers of the pictures, as the generator counts.
  let numbers: [Range<Int>]

  /// - Throws: `UserError` of kind `cannotWrite`.
  func write(to folder: String, report: (String) -> Void) throws {
    let shape = generator.shape
    let parent = "\(folder)/pathfinder\(shape.size)"
    let place = "\(parent)/\(shape.level.folder)"
    guard !FileManager.default.fileExists(atPath: place) else {
      throw UserError(
        .cannotWrite, "\(place) is there already", remedy: "remove it, or choose another folder")
    }
    try createFolder(parent)
    let unfinished = "\(parent)/.\(shape.level.folder).tmp-\(getpid())"
    try createFolder("\(unfinished)/metadata")
    defer { try? FileManager.default.removeItem(atPath: unfinished) }
    try writeBatches(unfinished, report)
    sync()
    guard rename(unfinished, place) == 0 else {
      throw UserError.system(.cannotWrite, "cannot write \(place)")
    }
  }

  private func writeBatches(_ folder: String, _ report: (String) -> Void) throws {
    let all = numbers.flatMap { Array($0) }
    let batches = (all.count + Self.batch - 1) / Self.batch
    let workers = usableCores
    for first in stride(from: 0, to: batches, by: 4 * workers) {
      let count = min(4 * workers, batches - first)
      let written = try parallelMap(count, workers: workers) { number in
        Result {
          let batch = first + number
          let places = (batch * Self.batch)..<min((batch + 1) * Self.batch, all.count)
          try writeBatch(batch, all[places], folder)
        }
      }
      for result in written { try result.get() }
      report("wrote \(min((first + count) * Self.batch, all.count)) of \(all.count) pictures")
    }
  }

  private func writeBatch(_ batch: Int, _ numbers: ArraySlice<Int>, _ folder: String) throws {
    try createFolder("\(folder)/imgs/\(batch)")
    var rows = ""
    for (place, number) in numbers.enumerated() {
      let picture = generator.picture(number)
      let file = "\(folder)/imgs/\(batch)/sample_\(place).png"
      try write(PNG.encode(picture.pixels, width: generator.shape.size), to: file)
      rows += "imgs/\(batch) sample_\(place).png \(place) \(picture.label) "
      rows += generator.shape.metadata(margin: picture.margin) + "\n"
    }
    try write(Array(rows.utf8), to: "\(folder)/metadata/\(batch).npy")
  }

  /// Writes a file of the unfinished folder, which needs no care of its own.
  private func write(_ bytes: [UInt8], to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw UserError.system(.cannotWrite, "cannot write \(path)") }
    defer { close(descriptor) }
    guard Foundation.write(descriptor, bytes, bytes.count) == bytes.count else {
      throw UserError.system(.cannotWrite, "cannot write \(path)")
    }
  }
}
