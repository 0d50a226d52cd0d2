// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// The pictures of one task, size and level: read where the original's are, else generated.
package struct PathfinderPictures: Sendable {
  /// The benchmark's sizes.
  static let counts: [Split: Int] = [.train: 160_000, .val: 20_000, .test: 20_000]
  /// Where each split's numbers begin for the generator: far apart, so that no count is too large.
  private static let firstNumber: [Split: Int] = [.train: 0, .val: 1 << 40, .test: 1 << 41]

  let shape: PathfinderShape
  private let task: String
  private let options: TaskOptions
  /// The original's pictures, by their folder.
  private let read = Cache<String, Genuine>()
  private let drawn = Cache<Split, PackedExamples>()

  /// - Parameters:
  ///   - task: the name, which is also that of the folder.
  ///   - length: the pixels of a picture.
  /// - Throws: `UserError` of kind `usage` for options that do not exist.
  init(_ options: TaskOptions, task: String, length: Int) throws {
    (self.options, self.task) = (options, task)
    try options.validate(usualLength: length)
    let level = try options.own(PathfinderOptions.self).level
    guard let size = PathfinderShape.sizes.first(where: { $0 * $0 == length }) else {
      throw UserError(
        .usage, "task.length is \(length), but pictures have 1024, 4096, 16384 or 65536 pixels",
        remedy: "give one of these; the benchmark's is 1024")
    }
    shape = PathfinderShape(size: size, level: level)
  }

  /// The examples of one split, read or made on the first call and then kept in memory.
  func examples(
    _ split: Split, _ report: (String) -> Void = { _ in }
  ) throws -> PictureExamples {
    guard let all = try genuine(report) else {
      let made = try generated(split, report)
      return PictureExamples(made, range: 0..<made.count, pixels: shape.pixels)
    }
    let count = all.coded.count
    let range =
      switch split {
      case .train: 0..<(count * 8 / 10)
      case .val: (count * 8 / 10)..<(count * 9 / 10)
      case .test: (count * 9 / 10)..<count
      }
    let chosen = try options.chosen(split, of: Array(range)).count
    return PictureExamples(all.coded, range: range.prefix(chosen), pixels: shape.pixels)
  }

  /// The pictures of a folder of a user's own.
  func examples(at path: String, classNames: [String]) throws -> GivenExamples {
    var coded = PackedExamples(classes: 2)
    if FileSystem.isFolder("\(path)/metadata") {
      coded = try PathfinderFolder(path).read(size: shape.size)
    } else {
      for file in try ClassFolders(path, classNames: classNames, ending: ".png").files {
        try append(file, to: &coded)
      }
    }
    return GivenExamples(
      PictureExamples(coded, range: 0..<coded.count, pixels: shape.pixels),
      provenance: "read from \(path)")
  }

  private func append(_ file: ClassFolders.File, to coded: inout PackedExamples) throws {
    let bytes = try readFile(file.path)
    do throws(PNG.Fault) {
      let picture = try PNG.decode(bytes, width: shape.size, height: shape.size)
      coded.append(ZeroRuns.coded(picture)[...], label: file.label)
    } catch {
      throw UserError(
        .badData, "\(file.path): \(error.text)",
        remedy: "save it as grey PNG with \(shape.size) x \(shape.size) pixels")
    }
  }

  /// The folder, or the seed.
  func provenance() throws -> String {
    guard let all = try genuine({ _ in }) else {
      return "generated with seed \(options.seed), \(shape.level), \(shape.size) x \(shape.size)"
    }
    let empty = all.empty == 0 ? "" : ", \(Self.emptyPictures(all.empty)) left out"
    return try "read from \(all.path), 80, 10 and 10 % in the order of the files\(empty)"
      + options.shortfall { try examples($0).count }
  }

  /// Writes the generated pictures of all splits.
  ///
  /// - Throws: `UserError` of kind `cannotWrite`, or `usage` when the data are the original's.
  func export(to folder: String, report: (String) -> Void) throws {
    if let original = try originalFolder() {
      throw UserError(
        .usage, "the pictures of \(original) are in the original's format already",
        remedy: "copy that folder, or name an empty one with --data to generate new pictures")
    }
    let export = PathfinderExport(
      generator: PathfinderGenerator(shape, seed: options.seed),
      numbers: Split.allCases.map(numbers))
    try export.write(to: folder, report: report)
  }

  /// Whether the original's pictures are there, or any that were generated.
  func isPrepared() throws -> Bool { try originalFolder() != nil || FileSystem.exists(root) }

  private var root: String { "\(options.dataFolder)/\(task)" }

  // MARK: The original's pictures

  /// What was read.
  private struct Genuine {
    let path: String
    let coded: PackedExamples
    /// The number of files without content.
    let empty: Int
  }

  /// The first of the usual folders that holds the original's pictures of this size and level.
  ///
  /// The release has the pictures of 128 × 128 twice; the ones deeper down are those that are used.
  ///
  /// - Throws: `UserError` of kind `missingInput` when the level is missing or incomplete.
  func originalFolder() throws -> String? {
    let roots = [
      "\(root)/lra_release/lra_release", "\(root)/lra_release", root, "\(root)/pathfinder",
      "\(options.dataFolder)/pathfinder", "\(options.dataFolder)/lra_release/lra_release",
      "\(options.dataFolder)/lra_release",
    ]
    let places = roots.map { "\($0)/pathfinder\(shape.size)" }
    let level = shape.level.folder
    let source = SourceFolder(
      places: places, root: nil, names: ["\(level)/imgs", "\(level)/metadata"],
      remedy: PathfinderFolder.remedy)
    let found = try source.find()
    if found == nil, let other = places.first(where: FileManager.default.fileExists) {
      throw UserError(
        .missingInput, "\(other): there is no folder \(level)",
        remedy: "add it, choose another task.level, or remove the folder to generate the data")
    }
    return found
  }

  private func genuine(_ report: (String) -> Void) throws -> Genuine? {
    guard let root = try originalFolder() else { return nil }
    return try read.value(root) {
      let folder = try PathfinderFolder("\(root)/\(shape.level.folder)")
      if let first = folder.empty.first {
        report(
          "\(folder.path): \(Self.emptyPictures(folder.empty.count)) left out, such as \(first)")
      }
      let files = String(try folder.contentHash(), radix: 16)
      let prepared = PreparedSplit(
        path: "\(self.root)/prepared-\(shape.size)-\(shape.level)\(PreparedSplit.ending)",
        metadata: description.merging(["content-of-files": files]) { $1 })
      let coded =
        try Self.kept(
          prepared, count: folder.count, pixels: shape.pixels, "reading the pictures again", report)
        ?? pictures(of: folder, keptIn: prepared, report)
      return Genuine(path: folder.path, coded: coded, empty: folder.empty.count)
    }
  }

  private func pictures(
    of folder: PathfinderFolder, keptIn prepared: PreparedSplit, _ report: (String) -> Void
  ) throws -> PackedExamples {
    report("reading \(folder.count) pictures of \(folder.path)")
    let pictures = try folder.read(size: shape.size)
    // A folder that cannot be written to costs some seconds the next time, nothing else.
    do { try prepared.write(pictures) } catch { report(error.problem) }
    return pictures
  }

  private static func emptyPictures(_ count: Int) -> String {
    "\(count) empty picture\(count == 1 ? "" : "s")"
  }

  // MARK: Generated pictures

  /// A split from memory, else from its prepared file, else drawn.
  private func generated(_ split: Split, _ report: (String) -> Void) throws -> PackedExamples {
    try drawn.value(split) {
      // The original's folders may hold pictures of other sizes alone.
      let unrecognized = UnrecognizedFiles(in: root) {
        let number = $0.hasPrefix("pathfinder") ? $0.dropFirst(10) : nil
        return $0 == "lra_release" || number?.allSatisfy(\.isNumber) == true
      }
      try unrecognized.refuse(wanted: [
        "\(shape.level.folder)/imgs", "\(shape.level.folder)/metadata",
      ])
      return try keptOrDrawn(split, report)
    }
  }

  private func keptOrDrawn(_ split: Split, _ report: (String) -> Void) throws -> PackedExamples {
    let (file, count) = (file(split), numbers(split).count)
    let again = "generating them again"
    if let kept = Self.kept(file, count: count, pixels: shape.pixels, again, report) { return kept }
    try createFolder(root)
    let lock = try FileLock(waitingFor: "\(root)/.lock", report: report)
    defer { withExtendedLifetime(lock) {} }
    // Another process may have finished while this one waited.
    if let kept = Self.kept(file, count: count, pixels: shape.pixels, again, { _ in }) {
      return kept
    }
    return try PictureDrawing(
      PathfinderGenerator(shape, seed: options.seed), numbers(split), name: split.rawValue,
      path: file.path, metadata: file.metadata
    ).run(report: report)
  }

  /// The pictures in a prepared file; nil when there is none, or none that can be used.
  static func kept(
    _ file: PreparedSplit, count: Int, pixels: Int, _ again: String, _ report: (String) -> Void
  ) -> PackedExamples? {
    do {
      return try file.read(classes: 2, count: count, longest: pixels + 16) { bytes, _ in
        ZeroRuns.isValid(bytes, pixels: pixels)
      }
    } catch {
      report("\(error.problem); \(again)")
    }
    return nil
  }

  private func numbers(_ split: Split) -> Range<Int> {
    let first = Self.firstNumber[split] ?? 0
    return first..<(first + (options.count(split) ?? Self.counts[split] ?? 0))
  }

  private var description: [String: String] {
    ["task": "pathfinder", "size": "\(shape.size)", "level": shape.level.rawValue]
  }

  private func file(_ split: Split) -> PreparedSplit {
    let metadata = description.merging([
      "split": split.rawValue, "generator": "\(PathfinderGenerator.version)",
      "seed": "\(options.seed)", "count": "\(numbers(split).count)",
    ]) { $1 }
    let parameters = metadata.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    var hash = FNV1a()
    hash.add(parameters.joined(separator: "\n").utf8)
    return PreparedSplit(
      path: "\(root)/\(split.rawValue)-\(hash.hexadecimal.prefix(8)).safetensors.gz",
      metadata: metadata)
  }
}
