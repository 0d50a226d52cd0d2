// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What the Fourier mixing of sequences needs for one length and width: computed once, used by every
/// step.
package struct FourierPlan: Sendable {
  /// L, the length of the transform along the sequence.
  package let length: Int
  /// E, the length of the transform along the row.
  package let width: Int
  let transform: MixedRadix
  /// The transform along the row as matrices of E × 32: sixteen columns of cosines, then of sines.
  let matrix: [Float]
  /// Panels; frequency k of a row of real numbers is the conjugate of E - k, so half of them do.
  var panels: Int { FourierPlan.panels(width) }

  /// - Parameters:
  ///   - length: L.
  ///   - width: E.
  ///   - scale: what the result is multiplied by; 1 is the transform without normalisation.
  package init(length: Int, width: Int, scale: Double = 1) {
    self.length = length
    self.width = width
    transform = MixedRadix(length: length)
    matrix = (0..<FourierPlan.panels(width)).flatMap { panel in
      (0..<width).flatMap { row in
        FourierPlan.matrixRow(row, panel, width).map { Float($0 * scale) }
      }
    }
  }

  private static func panels(_ width: Int) -> Int { ((width + 1) / 2 + laneCount - 1) / laneCount }

  /// Row j of a panel: e^(-2πijk/E) for its sixteen frequencies k.
  ///
  /// Frequencies 0 and E/2 of real numbers are real, so that E/2 takes the place of the imaginary part
  /// of 0.
  private static func matrixRow(_ j: Int, _ panel: Int, _ width: Int) -> [Double] {
    let frequencies = panel * laneCount..<(panel + 1) * laneCount
    let inside = frequencies.map { 2 * $0 < width || $0 == 0 }
    let angles = frequencies.map { 2 * Double.pi * Double(j * $0 % width) / Double(width) }
    let cosines = zip(angles, inside).map { $1 ? Foundation.cos($0) : 0 }
    var sines = zip(angles, inside).map { $1 ? -Foundation.sin($0) : 0 }
    if panel == 0 { sines[0] = width % 2 == 0 ? (j % 2 == 0 ? 1 : -1) : 0 }
    return cosines + sines
  }
}
