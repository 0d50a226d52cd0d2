// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// Sees what passes through the branches of a model while it evaluates.
package protocol BranchObserver: AnyObject {
  /// The rows that linear maps take, [N, inputs].
  ///
  /// - Parameter maps: their paths, as `blocks.0.mixer.query`.
  func sees(_ rows: Tensor, of maps: [String])

  /// The units of a branch before the map that ends it: the heads of a mixer, each D columns, or the
  /// inner columns of a feed-forward network behind their activation.
  ///
  /// - Parameters:
  ///   - rows: [N, units · width].
  ///   - place: the branch, as `blocks.0.mixer`.
  /// - Returns: what the branch goes on with, in place of the rows.
  func units(
    _ rows: Tensor, of place: String, width: Int, _ sequences: PackedSequences
  ) -> Tensor
}

extension BranchObserver {
  /// Nothing is done.
  package func sees(_ rows: Tensor, of maps: [String]) {}

  /// The rows stay as they are.
  package func units(
    _ rows: Tensor, of place: String, width: Int, _ sequences: PackedSequences
  ) -> Tensor { rows }
}

extension ForwardContext {
  /// The units of a branch; an observer may put others in their place.
  func observed(_ rows: Tensor, unitsOf place: String, width: Int) -> Tensor {
    observer?.units(rows, of: place, width: width, sequences) ?? rows
  }
}
