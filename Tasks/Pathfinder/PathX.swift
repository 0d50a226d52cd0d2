// SPDX-License-Identifier: Apache-2.0

import Base

/// `Pathfinder` with pictures of 128 × 128 pixels: 16,384 tokens.
///
/// The pictures are generated from a seed, unless `<data folder>/pathx` holds the original's,
/// `pathfinder128/curv_contour_length_14/{imgs,metadata}`.
///
/// Source: Tay et al., "Long Range Arena", 2020, arXiv 2011.04006, section 2.2.6.
package struct PathX: PathfinderTask {
  /// The name on the command line and of the data folder.
  package static let name = "pathx"
  /// The name in headings and tables.
  package static let title = "Path-X"
  /// The command that makes the data.
  package static let dataCommand = "lra data make pathx"
  static let usualLength = 16_384

  /// The pictures, read or generated.
  package let pictures: PathfinderPictures

  /// The task for given options.
  ///
  /// - Throws: `UserError` of kind `usage` for a count that is not positive, another length, or a
  ///   level that does not exist.
  package init(_ options: TaskOptions) throws {
    guard options.length ?? Self.usualLength == Self.usualLength else {
      throw UserError(
        .usage,
        "task.length is \(options.length ?? 0), but Path-X has pictures of \(Self.usualLength) pixels",
        remedy: "leave the length out; the task pathfinder has pictures of other sizes")
    }
    pictures = try PathfinderPictures(options, task: Self.name, length: Self.usualLength)
  }
}
