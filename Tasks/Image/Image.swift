// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// What a small photograph shows, read as a row of grey pixels.
///
/// Ten classes, each a tenth of the pictures; 45,000 for training, 5,000 for validation and 10,000
/// for the test. A picture of 32 × 32 pixels becomes 1,024 tokens, row by row. A token is the grey
/// value plus 1, so that a black pixel is not padding and the vocabulary is 257. With a length of 256
/// or 64 the picture has 16 × 16 or 8 × 8 pixels, the means of squares of the original's.
///
/// The data are the binary version of CIFAR-10 as its archive unpacks, `cifar-10-batches-bin` with
/// `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`, in `<data folder>/image`;
/// `make data TASK=image` puts them there. The version for Python, `cifar-10-batches-py`, is read too.
///
/// Validation is the last tenth of the training records in the order of the files, which is random
/// already. So any other program can take the same pictures, without our random numbers.
///
/// Source: Krizhevsky, "Learning multiple layers of features from tiny images", 2009; Tay et al.,
/// "Long Range Arena", 2020, arXiv 2011.04006, section 2.2.4.
/// Differs: google-research/long-range-arena @cd31e5c, image/input_pipeline.py, takes the last tenth
/// in the order of TensorFlow Datasets, which the files do not have; its tokens are the grey values
/// themselves, so that black pixels are masked like padding.
package struct Image: ArenaTask {
  /// The name on the command line and of the data folder.
  package static let name = "image"
  /// The name in headings and tables.
  package static let title = "Image"
  /// The command that fetches and unpacks the archive.
  package static let dataCommand = "make data TASK=image"
  private static let trainFiles = (1...5).map { "data_batch_\($0)" }
  private static let testFiles = ["test_batch"]
  /// Where the archives have the files in the data folder, and where others who unpack them put them.
  private static let places = [
    "image/cifar-10-batches-bin", "image/cifar-10-batches-py", "image",
    "cifar10/cifar-10-batches-bin", "cifar10/cifar-10-batches-py", "cifar-10-batches-bin",
    "cifar-10-batches-py",
  ]

  /// The two versions of the files, by the endings of their names.
  private enum Version: String, CaseIterable {
    case binary = ".bin"
    case python = ""
  }

  /// Ten kinds of things.
  package let classes = CIFARBatch.classNames.count
  /// What each class is called.
  package let classNames = CIFARBatch.classNames
  /// Padding and 256 grey values.
  package let vocabulary = 257
  /// 1,024 pixels, or those of a smaller picture.
  package let length: Int
  /// Pixels of a row.
  private let side: Int
  private let options: TaskOptions
  private let files = Cache<[String], PackedExamples>()

  /// The task for given options.
  ///
  /// - Throws: `UserError` of kind `usage` for a count that is not positive, or a length that is not
  ///   1024, 256 or 64.
  package init(_ options: TaskOptions) throws {
    self.options = options
    try options.validate(usualLength: CIFARBatch.pixels)
    let wanted = options.length ?? CIFARBatch.pixels
    guard let side = [32, 16, 8].first(where: { $0 * $0 == wanted }) else {
      throw UserError(
        .usage, "task.length is \(wanted), but a picture has 1024 pixels, or 256 or 64 when shrunk",
        remedy: "leave the length out, or give 1024, 256 or 64")
    }
    self.side = side
    length = wanted
  }

  /// Nothing is drawn: validation pictures are the last of the training files.
  package var idle: [String: String] { ["seed": "the splits are those of the files"] }

  /// Reads all files, which takes less than a second.
  ///
  /// - Throws: `UserError` for files that are missing or wrong.
  package func prepare(report: (String) -> Void) throws {
    _ = try pictures(Self.trainFiles)
    _ = try pictures(Self.testFiles)
  }

  /// The folder, and what the validation split is.
  package func provenance() throws -> String {
    let count = try examples(.val).count
    return
      try "read from \(place().folder)\(sizeRemark), validated on \(count) of the training files' "
      + "last tenth" + options.shortfall { try examples($0).count }
  }

  private var sizeRemark: String {
    length == CIFARBatch.pixels ? "" : ", shrunk to \(side) x \(side) pixels"
  }

  /// The pictures of one file in a version of CIFAR-10, or of a folder with a folder of PNG files of
  /// 32 × 32 pixels, grey or in colour, for each class.
  package func examples(at path: String) throws -> GivenExamples {
    var examples = PackedExamples(classes: classes, shift: 1)
    let shrink = CIFARBatch.side / side
    if FileSystem.isFolder(path) {
      let folders = try ClassFolders(path, classNames: classNames, ending: ".png")
      for file in folders.files {
        try CIFARBatch.append(png: file.path, label: file.label, shrink: shrink, to: &examples)
      }
    } else {
      try read(path, path.hasSuffix(".bin") ? .binary : .python, into: &examples)
    }
    return GivenExamples(examples, provenance: "read from \(path)\(sizeRemark)")
  }

  /// The grey values as numbers.
  package func describe(_ tokens: [Int32]) -> String { greyNumbers(tokens) }

  /// The picture in half blocks, two pixels a character.
  package func drawing(_ tokens: [Int32], inColor: Bool) -> String? {
    halfBlocks(tokens, width: side, inColor: inColor)
  }

  /// Pictures of the files in their order.
  package func examples(_ split: Split) throws -> any ExampleSource {
    let all = try pictures(split == .test ? Self.testFiles : Self.trainFiles)
    let held = all.count - max(1, all.count / 10)
    let range =
      switch split {
      case .train: 0..<held
      case .val: held..<all.count
      case .test: 0..<all.count
      }
    return ExampleSubset(all, order: try options.chosen(split, of: Array(range)))
  }

  private var root: String { "\(options.dataFolder)/\(Self.name)" }

  /// The unpacked archive.
  package func sourceFolder() throws -> String? { try place().folder }

  private func place() throws -> (folder: String, version: Version) {
    for version in Version.allCases {
      let source = SourceFolder(
        places: Self.places.map { "\(options.dataFolder)/\($0)" }, root: root,
        names: (Self.trainFiles + Self.testFiles).map { $0 + version.rawValue },
        remedy: "remove the folder, then fetch it with \(Self.dataCommand)")
      if let found = try source.find() { return (found, version) }
    }
    throw UnrecognizedFiles(in: root).missing(
      "folder cifar-10-batches-bin or cifar-10-batches-py",
      remedy: "fetch it with \(Self.dataCommand), or unpack cifar-10-binary.tar.gz there")
  }

  /// The pictures of some files from memory, else from the disk.
  private func pictures(_ names: [String]) throws -> PackedExamples {
    try files.value(names) {
      let (folder, version) = try place()
      var examples = PackedExamples(classes: classes, shift: 1)
      for name in names {
        try read("\(folder)/\(name)\(version.rawValue)", version, into: &examples)
      }
      return examples
    }
  }

  private func read(
    _ path: String, _ version: Version, into examples: inout PackedExamples
  ) throws {
    let shrink = CIFARBatch.side / side
    switch version {
    case .binary: try CIFARBatch.read(path, shrink: shrink, into: &examples)
    case .python: try CIFARPickle.read(path, shrink: shrink, into: &examples)
    }
  }
}
