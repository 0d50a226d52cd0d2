// SPDX-License-Identifier: Apache-2.0

/// Whether a dashed line joins two dots, among other dashed lines, read as a row of grey pixels.
///
/// Two classes, each half of the pictures; 160,000 for training, 20,000 each for validation and
/// test. A picture of 32 × 32 pixels becomes 1,024 tokens, row by row; `task.length` 4096, 16384 or
/// 65536 takes larger ones. A token is the grey value plus 1, so that a black pixel is not padding
/// and the vocabulary is 257. `task.level` is `hard` (lines of 14 dashes, all published results),
/// `intermediate` (9) or `easy` (6).
///
/// The pictures are generated from a seed, unless `<data folder>/pathfinder` holds the original's,
/// `pathfinder32/curv_contour_length_14/{imgs,metadata}`. Those are cut 80, 10 and 10 % in the order
/// of the files, which is random already, and which everyone has.
///
/// Source: Linsley, Kim, Veerabadran, Windolf, Serre, "Learning long-range spatial dependencies with
/// horizontal gated recurrent units", NeurIPS 2018; Tay et al., "Long Range Arena", 2020, arXiv
/// 2011.04006, section 2.2.5.
/// Differs: google-research/long-range-arena @cd31e5c, image/input_pipeline.py, cuts in the order of
/// TensorFlow Datasets, which the files do not have; its tokens are the grey values themselves, so
/// that black pixels are masked like padding.
package struct Pathfinder: PathfinderTask {
  /// The name on the command line and of the data folder.
  package static let name = "pathfinder"
  /// The name in headings and tables.
  package static let title = "Pathfinder"
  /// The command that makes the data.
  package static let dataCommand = "lra data make pathfinder"

  /// The pictures, read or generated.
  package let pictures: PathfinderPictures

  /// The task for given options.
  ///
  /// - Throws: `UserError` of kind `usage` for a count that is not positive, a length that no picture
  ///   has, or a level that does not exist.
  package init(_ options: TaskOptions) throws {
    pictures = try PathfinderPictures(options, task: Self.name, length: options.length ?? 1024)
  }
}
