// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// The pictures of one size and level as the release has them: `metadata/<batch>.npy` and
/// `imgs/<batch>/sample_<number>.png` in a folder such as `pathfinder32/curv_contour_length_14`.
package struct PathfinderFolder {
  static let remedy = "unpack the archive again, or remove the folder to generate the data"
  private static let chunk = 500

  package let path: String
  /// By batch, then in the order of the metadata.
  private let pictures: [PathfinderMetadata.Row]
  /// Files without content, which the release has one of; they are left out.
  package let empty: [String]

  /// Reads the metadata and looks at every picture's file.
  ///
  /// - Parameter path: the folder that holds `imgs` and `metadata`.
  /// - Throws: `UserError` that names the file, or the metadata's file and row.
  package init(_ path: String) throws {
    self.path = path
    let folders = OpenFolders(path)
    var (pictures, empty): ([PathfinderMetadata.Row], [String]) = ([], [])
    for file in try Self.metadataFiles(path) {
      for (number, row) in try PathfinderMetadata.rows(file).enumerated() {
        if try folders.size(row, origin: "\(file):\(number + 1)") == 0 {
          empty.append("\(row.folder)/\(row.file)")
        } else {
          pictures.append(row)
        }
      }
    }
    (self.pictures, self.empty) = (pictures, empty)
  }

  /// The number of pictures that are not empty.
  package var count: Int { pictures.count }

  /// A hash of all rows and of the bytes of all pictures, read on all cores; size and time of change
  /// do not tell every change of a file.
  ///
  /// - Throws: `UserError` for the first picture that cannot be read.
  package func contentHash(workers: Int = usableCores) throws -> UInt64 {
    let parts = try forEachPart(workers) { pictures in
      var hash = FNV1a()
      for picture in pictures {
        let bytes = try readFile(file(picture))
        hash.add("\(picture.folder)/\(picture.file) \(picture.label)".utf8)
        hash.add(UInt64(bytes.count))
        hash.add(bytes)
      }
      return hash.value
    }
    var hash = FNV1a()
    for part in parts { hash.add(part) }
    return hash.value
  }

  /// Reads all pictures on all cores, in the form of `ZeroRuns`.
  ///
  /// - Parameter size: pixels of a side that each must have.
  /// - Throws: `UserError` for the first picture that cannot be read.
  package func read(
    size: Int, workers: Int = usableCores
  ) throws -> PackedExamples {
    var all = PackedExamples(classes: 2)
    for part in try forEachPart(workers, { try examples($0, size) }) { all.append(part) }
    return all
  }

  /// What a function gives for some hundred pictures at a time, in order.
  private func forEachPart<Value: Sendable>(
    _ workers: Int, _ body: @Sendable (ArraySlice<PathfinderMetadata.Row>) throws -> Value
  ) throws -> [Value] {
    let starts = Array(stride(from: 0, to: count, by: Self.chunk))
    return try parallelMap(starts.count, workers: workers) { number in
      Result { try body(pictures[starts[number]..<min(starts[number] + Self.chunk, count)]) }
    }.map { try $0.get() }
  }

  private func file(_ picture: PathfinderMetadata.Row) -> String {
    "\(path)/\(picture.folder)/\(picture.file)"
  }

  private func examples(_ pictures: ArraySlice<PathfinderMetadata.Row>, _ size: Int) throws
    -> PackedExamples
  {
    var part = PackedExamples(classes: 2)
    for picture in pictures {
      let file = file(picture)
      let bytes = try readFile(file)
      do {
        let pixels = try PNG.decode(bytes, width: size, height: size)
        part.append(ZeroRuns.coded(pixels)[...], label: picture.label)
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

  /// The bytes of a picture's file, or of the one that a link leads to.
  ///
  /// - Parameter origin: the metadata's file and row, for the message.
  func size(_ row: PathfinderMetadata.Row, origin: String) throws -> Int {
    let file = "\(row.folder)/\(row.file)"
    let folder = try descriptor(row.folder)
    var information = stat()
    guard fstatat(folder, row.file, &information, 0) == 0 else { throw problem(file, origin) }
    guard information.st_mode & S_IFMT == S_IFREG, information.st_size <= Self.largest else {
      throw UserError(
        .badData, "\(path)/\(file): this is not a picture's file", remedy: PathfinderFolder.remedy)
    }
    return Int(information.st_size)
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
