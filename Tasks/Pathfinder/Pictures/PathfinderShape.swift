// SPDX-License-Identifier: Apache-2.0

import Base

/// What the pictures of one size and level are drawn with.
///
/// Source: google-research/long-range-arena @cd31e5c, lra_benchmarks/data/pathfinder.py; what that
/// leaves out, from drewlinsley/pathfinder @ab9c130, snakes2_wrapper.py. Single paddles are off, as
/// in the latter: with them a picture of 32 × 32 would be full.
package struct PathfinderShape: Sendable {
  /// How long the contours are.
  package enum Level: String, SettingChoice {
    /// Six paddles.
    case easy
    /// Nine paddles.
    case intermediate
    /// Fourteen paddles, what all published results are on.
    case hard

    /// The paddles of each of the two long snakes.
    var contourLength: Int {
      switch self {
      case .easy: 6
      case .intermediate: 9
      case .hard: 14
      }
    }

    /// The folder of the original.
    package var folder: String {
      self == .easy ? "curv_baseline" : "curv_contour_length_\(contourLength)"
    }
  }

  /// A finer pixel is half a pixel wide: the original's `antialias_scale`.
  static let fineness = 2
  package static let sizes = [32, 64, 128, 256]

  /// Pixels of a side.
  package let size: Int
  /// Pixels of a picture.
  var pixels: Int { size * size }
  package let level: Level
  /// The width of the border that paddles keep off.
  let frame: Int
  /// From the first tip of one long snake to that of the other.
  let seedDistance: Int
  /// In pixels.
  let markerRadius: Double
  let paddleLength: Int
  let thickness: Double
  /// The gap between paddles, of which a picture takes one at random.
  package let margins: [Int]
  /// The greater, the straighter the snakes.
  let continuity: Double
  /// The brightness of the long snakes; a marker's is 1.
  let targetContrast: Double
  let distractorContrast: Double
  /// The paddles of all distractors together, at most.
  private let distractorPaddles: Int

  /// - Precondition: the size is one of `sizes`.
  package init(size: Int, level: Level) {
    precondition(Self.sizes.contains(size), "PathfinderShape: no pictures have size \(size)")
    (self.size, self.level) = (size, level)
    frame = size == 256 ? 22 : 1
    continuity = size == 32 ? 1 : 1.8
    paddleLength = size == 32 ? 2 : 5
    switch size {
    case 32:
      (seedDistance, markerRadius, thickness, margins) = (7, 1.5, 0.5, [1])
      (targetContrast, distractorContrast, distractorPaddles) = (1.5, 2, 20)
    case 64:
      (seedDistance, markerRadius, thickness, margins) = (12, 2.5, 1, [1])
      (targetContrast, distractorContrast, distractorPaddles) = (0.8, 0.8, 22)
    case 128:
      (seedDistance, markerRadius, thickness, margins) = (20, 3, 1.5, [2, 3])
      (targetContrast, distractorContrast, distractorPaddles) = (0.9, 0.9, 35)
    default:
      (seedDistance, markerRadius, thickness, margins) = (27, 5, 2, [3])
      (targetContrast, distractorContrast, distractorPaddles) = (1, 1, 30)
    }
  }

  var contourLength: Int { level.contourLength }
  /// The paddles of a distractor.
  var distractorLength: Int { contourLength / 3 }
  var distractors: Int { distractorPaddles / distractorLength }

  /// The end of a picture's row in the original's metadata, after the label.
  func metadata(margin: Int) -> String {
    let width = thickness == thickness.rounded() ? "\(Int(thickness))" : "\(thickness)"
    return "\(continuity) \(contourLength) \(distractorLength) \(paddleLength) \(width) \(margin) 1"
  }
}
