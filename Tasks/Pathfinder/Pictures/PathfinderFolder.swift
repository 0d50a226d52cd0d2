// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// The pictures of one size and level as the release has them: `metadata/<batch>.npy` and
/// `imgs/<batch>/sample_<number>.png` in a folder such as `pathfinder32/curv_contour_length_14`.
package struct PathfinderFolder {
  static let remedy = "unpack the archive again, or remove the folder to generate the data"
  private static let chunk = 500

  /// One picture, before it is read.
  private struct Picture {
    let row: PathfinderMetadata.Row
    /// The metadata file and the row in it.
    let origin: String
    let size: Int
    /// When the file was changed, in nanoseconds.
    let modified: Int
  }

  package let path: String
  /// By batch, then in the order of the metadata.
  private let pictures: [Picture]
  /// Files without content, which the release has one of; they are left out.
  package let empty: [String]

  /// Reads the metadata and looks at every picture's file.
  ///
  /// - Parameter path: the folder that holds `imgs` and `metadata`.
  /// - Throws: `UserError` that names the file, or the metadata's file and row.
  package init(_ path: String) throws {
    self.path = path
    let folders = OpenFolders(path)
    var (pictures, empty): ([Picture], [String]) = ([], [])
    for file in try Self.metadataFiles(path) {
      for (number, row) in try PathfinderMetadata.rows(file).enumerated() {
        let origin = "\(file):\(number + 1)"
        let (size, modified) = try folders.state(row, origin)
        if size == 0 {
          empty.append("\(row.folder)/\(row.file)")
        } else {
          pictures.append(Picture(row: row, origin: origin, size: size, modified: modified))
        }
      }
    }
    (self.pictures, self.empty) = (pictures, empty)
  }

  /// The number of pictures that are not empty.
  package var count: Int { pictures.count }

  /// A number that changes when a row is changed, or a picture written.
  package var signature: UInt64 {
    var hash = FNV1a()
    for picture in pictures {
      hash.add("\(picture.row.folder)/\(picture.row.file) \(picture.row.label)".utf8)
      hash.add(UInt64(picture.size))
      hash.add(UInt64(bitPattern: Int64(picture.modified)))
    }
    return hash.value
  }

  /// Reads all pictures on all cores, in the form of `ZeroRuns`.
  ///
  /// - Parameter size: pixels of a side that each must have.
  /// - Throws: `UserError` for the first picture that cannot be read.
  package func read(
    size: Int, workers: Int = usableCores
  ) throws -> PackedExamples {
    let starts = Array(stride(from: 0, to: count, by: Self.chunk))
    let parts = try parallelMap(starts.count, workers: workers) { number in
      Result {
        try part(starts[number]..<min(starts[number] + Self.chunk, count), size)
      }
    }
    var all = PackedExamples(classes: 2)
    for part in parts {
      let part = try part.get()
      for example in 0..<part.count { all.append(part[example], label: part.labels[example]) }
    }
    return all
  }

  private func part(_ range: Range<Int>, _ size: Int) throws -> PackedExamples {
    var part = PackedExamples(classes: 2)
    for picture in pictures[range] {
      let file = "\(path)/\(picture.row.folder)/\(picture.row.file)"
      let bytes = try readFile(file)
      do {
        let pixels = try PNG.decode(bytes, width: size, height: size)
        part.append(ZeroRuns.coded(pixels)[...], label: picture.row.label)
      } catch {
        throw UserError(.badData, "\(file): \(error.text)", remedy: Self.remedy)
      }
    }
    return part
  }

  /// The metadata's files by number; hidden files do not count.
  private static func metadataFiles(_ path: String) throws -> [String] {
    let folder = "\(path)/metadata"
    guard access(folder, R_OK | X_OK) == 0 else {
      throw UserError.system(.missingInput, "cannot read the folder \(folder)")
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
    let numbers = try names.filter { !$0.hasPrefix(".") }.map { name in
      guard name.hasSuffix(".npy"), PathfinderMetadata.isNumber(name.dropLast(4)),
        let number = Int(name.dropLast(4)), name == "\(number).npy"
      else {
        throw UserError(
          .badData, "\(folder)/\(name): the name is not <number>.npy",
          remedy: "remove the file if it is no metadata, or unpack the archive again")
      }
      return number
    }
    guard !numbers.isEmpty else {
      throw UserError(.badData, "\(folder): there are no files in the folder", remedy: remedy)
    }
    return numbers.sorted().map { "\(folder)/\($0).npy" }
  }
}

/// The folders of pictures, each opened once.
private final class OpenFolders {
  /// No picture may be larger, in bytes.
  private static let largest = 1 << 20

  private let path: String
  private var descriptors: [String: Int32] = [:]

  init(_ path: String) { self.path = path }

  /// Size and time of change of a picture's file, or of the one that a link leads to.
  ///
  /// - Parameter origin: the metadata's file and row, for the message.
  func state(
    _ row: PathfinderMetadata.Row, _ origin: String
  ) throws -> (size: Int, modified: Int) {
    let file = "\(row.folder)/\(row.file)"
    let folder = try descriptor(row.folder)
    var information = stat()
    guard fstatat(folder, row.file, &information, 0) == 0 else { throw problem(file, origin) }
    guard information.st_mode & S_IFMT == S_IFREG, information.st_size <= Self.largest else {
      throw UserError(
        .badData, "\(path)/\(file): this is not a picture's file", remedy: PathfinderFolder.remedy)
    }
    let time = information.st_mtim
    return (Int(information.st_size), Int(time.tv_sec) &* 1_000_000_000 &+ Int(time.tv_nsec))
  }

  private func problem(_ file: String, _ origin: String) -> UserError {
    guard errno == ENOENT else {
      return UserError.system(.missingInput, "cannot read \(path)/\(file)")
    }
    return UserError(
      .missingInput, "\(origin): there is no picture \(file)", remedy: PathfinderFolder.remedy)
  }

  private func descriptor(_ name: String) throws -> Int32 {
    if let known = descriptors[name] { return known }
    let descriptor = open("\(path)/\(name)", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw UserError.system(.missingInput, "cannot read the folder \(path)/\(name)")
    }
    // A release may have more folders than a process may hold open.
    if descriptors.count >= 64 { closeAll() }
    descriptors[name] = descriptor
    return descriptor
  }

  private func closeAll() {
    for descriptor in descriptors.values { close(descriptor) }
    descriptors = [:]
  }

  deinit { closeAll() }
}
