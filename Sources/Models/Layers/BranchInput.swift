// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// The input of a residual branch: rows that are still to be normalised.
///
/// A mixer either normalises and projects in one pass (``project(_:)``) or asks for the normalised
/// rows themselves; it returns the residual plus its branch.
package struct BranchInput {
  /// How the normalised rows are made.
  package enum Source {
    /// Each row by itself, whenever it is read.
    case byRow(Norm)
    /// All together, already done.
    case done(Tensor)
  }

  /// x, [N, E], before the normalisation.
  package let residual: Tensor
  private let source: Source
  /// Of the operands of products.
  let precision: Precision
  /// Sees what linear maps take.
  let observer: (any BranchObserver)?

  /// - Parameter precision: of the operands of products.
  package init(
    residual: Tensor, _ source: Source, _ precision: Precision = .fp32,
    observer: (any BranchObserver)? = nil
  ) {
    self.residual = residual
    self.source = source
    self.precision = precision
    self.observer = observer
  }

  /// LayerNorm(x)·Wᵀ + b, [N, O], without storing LayerNorm(x).
  package func project(_ weight: Tensor, bias: Tensor? = nil) -> Tensor {
    switch source {
    case .byRow(let norm):
      normalizedLinear(residual, norm: norm, weight: weight, bias: bias, precision: precision)
    case .done(let rows): linear(rows, weight: weight, bias: bias, precision: precision)
    }
  }

  /// The same, and the sums of the rows of LayerNorm(x) in each piece, [number of pieces, E].
  func project(_ weight: Tensor, sumsOf pieces: SequencePieces) -> (rows: Tensor, sums: Tensor) {
    switch source {
    case .byRow(let norm):
      normalizedLinear(
        residual, norm: norm, weight: weight, sumsOf: pieces, precision: precision)
    case .done(let rows):
      (
        linear(rows, weight: weight, precision: precision),
        segmentSum(HeadsView(rows, count: 1, width: rows.columns), pieces: pieces)
      )
    }
  }

  /// x + drop(Re(F_L·LayerNorm(x)·F_E)), [N, E], without storing LayerNorm(x).
  func addingFourierMix(
    _ plan: FourierPlan, sequences: PackedSequences, dropout: Dropout
  ) -> Tensor {
    switch source {
    case .byRow(let norm):
      residualFourierMix(residual, norm: norm, plan: plan, sequences: sequences, dropout: dropout)
    case .done(let rows):
      residualSum(
        residual, adding: fourierMix(rows, plan: plan, sequences: sequences), dropout: dropout)
    }
  }

  /// LayerNorm(x), [N, E].
  package var normalized: Tensor {
    switch source {
    case .byRow(let norm): layerNorm(residual, norm: norm)
    case .done(let rows): rows
    }
  }

  /// The same normalisation of other rows.
  ///
  /// - Parameter rows: applied to residual and, where they are there already, normalised rows.
  func map(_ rows: (Tensor) -> Tensor) -> BranchInput {
    switch source {
    case .byRow: BranchInput(residual: rows(residual), source, precision, observer: observer)
    case .done(let normalized):
      BranchInput(
        residual: rows(residual), .done(rows(normalized)), precision, observer: observer)
    }
  }
}
