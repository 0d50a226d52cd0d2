// SPDX-License-Identifier: Apache-2.0

import Base

/// A task about two dots in a picture: whether a dashed line joins them.
///
/// `Pathfinder` and `PathX` differ in nothing but the size of the pictures.
package protocol PathfinderTask: ExportableTask {
  /// The pictures, read or generated.
  var pictures: PathfinderPictures { get }
}

/// What can be chosen for these tasks only.
struct PathfinderOptions: SettingSection {
  static let section = TaskSettings.section
  @Knob("hard: lines of 14 dashes, as all published results; intermediate: 9; easy: 6")
  var level = PathfinderShape.Level.hard
}

extension PathfinderTask {
  /// The dots are not joined, or they are.
  package var classes: Int { 2 }
  /// What each class is called.
  package var classNames: [String] { ["apart", "joined"] }
  /// Padding and 256 grey values.
  package var vocabulary: Int { 257 }
  /// The pixels of a picture.
  package var length: Int { pictures.shape.pixels }

  /// Reads or generates all pictures, unless a file of an earlier run has them.
  ///
  /// - Throws: `UserError` for files that are missing or wrong, or that cannot be written.
  package func prepare(report: (String) -> Void) throws {
    for split in Split.allCases { _ = try pictures.examples(split, report) }
  }

  /// The examples of one split, prepared on the first call and then kept in memory.
  package func examples(_ split: Split) throws -> any ExampleSource {
    try pictures.examples(split)
  }

  /// The pictures of a folder that holds `imgs` and `metadata` as the original's do, or a folder of grey
  /// PNG files for each class, `apart` and `joined`, or 0 and 1.
  package func examples(at path: String) throws -> GivenExamples {
    try pictures.examples(at: path, classNames: classNames)
  }

  /// The seed of generated pictures, or the folder of the original's.
  package func provenance() throws -> String { try pictures.provenance() }

  /// Whether the original's pictures are there, or any that were generated.
  package func isPrepared() throws -> Bool { try pictures.isPrepared() }

  /// The folder of the original's pictures, nil where there are none.
  package func sourceFolder() throws -> String? { try pictures.originalFolder() }

  /// The grey values as numbers.
  package func describe(_ tokens: [Int32]) -> String { greyNumbers(tokens) }

  /// The picture in half blocks, two pixels a character.
  package func drawing(_ tokens: [Int32], inColor: Bool) -> String? {
    halfBlocks(tokens, width: pictures.shape.size, inColor: inColor)
  }

  /// Writes the generated pictures with their metadata, as the original's loaders read them.
  ///
  /// - Throws: `UserError` of kind `cannotWrite`, or `usage` when the data are the original's.
  package func export(to folder: String, report: (String) -> Void) throws {
    try pictures.export(to: folder, report: report)
  }
}
