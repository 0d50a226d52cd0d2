// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

/// One run of a model over a batch: where its sequences lie, what is dropped, which values buffers have,
/// and what the layers hand on to each other.
///
/// A forward pass changes nothing outside its context.
package struct ForwardContext {
  /// The sequences of the batch.
  package let sequences: PackedSequences
  /// Of the operands of linear maps.
  let mapPrecision: Precision
  /// Of the operands of all other products, which are never of bytes.
  var precision: Precision { mapPrecision == .int8 ? .fp32 : mapPrecision }
  /// What one layer leaves for the next, beside its rows.
  private(set) var carried = Carried()
  /// Compares what layers mix with exact attention, if there is one.
  private(set) var probe: AttentionProbe?
  /// Sees what passes through the branches, if there is one.
  private(set) var observer: (any BranchObserver)?
  private var training: Training?

  private struct Training {
    let random: Philox
    let step: Int
    let firstSequence: Int
    let firstRow: Int
    var updates: BufferUpdates
  }

  /// A pass without dropout.
  package static func evaluation(
    _ sequences: PackedSequences, _ precision: Precision = .fp32, probe: AttentionProbe? = nil,
    observer: (any BranchObserver)? = nil
  ) -> ForwardContext {
    ForwardContext(
      sequences: sequences, mapPrecision: precision, probe: probe, observer: observer, training: nil
    )
  }

  /// A pass that drops, as a function of seed, step, place in the model and place in the batch.
  ///
  /// - Parameters:
  ///   - firstRow: the row of the whole batch at which this part of it begins.
  ///   - updates: collects the changes of buffers.
  static func training(
    _ sequences: PackedSequences, _ precision: Precision, _ seed: DropoutSeed, firstRow: Int,
    updates: BufferUpdates
  ) -> ForwardContext {
    ForwardContext(
      sequences: sequences, mapPrecision: precision,
      training: Training(
        random: Philox(key: seed.seed), step: seed.step, firstSequence: seed.sequencesBefore,
        firstRow: firstRow, updates: updates))
  }

  /// Whether rows are normalised by the batch, and buffers move.
  var isTraining: Bool { training != nil }

  /// The sequence of the whole batch at which this part of it begins.
  var firstSequence: Int { training?.firstSequence ?? 0 }

  /// The same pass over some layers with what others left for them.
  ///
  /// - Parameter again: whether it is repeated, so that its changes of buffers have been collected already.
  func with(_ carried: Carried, again: Bool) -> ForwardContext {
    var context = self
    context.carried = carried
    if again { context.training?.updates = BufferUpdates() }
    return context
  }

  /// The same pass with products in fp32.
  var in32Bits: ForwardContext {
    ForwardContext(
      sequences: sequences, mapPrecision: .fp32, carried: carried, probe: probe, observer: observer,
      training: training)
  }

  // MARK: Random numbers

  /// 64 random bits for one place in the model and this step; nil to evaluate.
  ///
  /// - Parameter site: a number for the place, ``dropoutSite(_:)``.
  package func key(site: UInt64) -> UInt64? {
    guard let training else { return nil }
    let block = training.random.block((UInt64(training.step), site))
    return UInt64(block.0) << 32 | UInt64(block.1)
  }

  /// The dropout of one place in the model.
  ///
  /// - Parameters:
  ///   - rate: the probability of dropping.
  ///   - site: a number for the place, ``dropoutSite(_:)``.
  ///   - rowsPerSequence: of rows that are not tokens, of which every sequence has as many; nil for
  ///     packed rows.
  package func dropout(_ rate: Double, site: UInt64, rowsPerSequence: Int? = nil) -> Dropout {
    guard rate > 0, let training, let key = key(site: site) else { return .none }
    let firstRow = rowsPerSequence.map { training.firstSequence * $0 } ?? training.firstRow
    return Dropout(rate: Float(rate), key: key, firstRow: firstRow)
  }

  // MARK: Buffers

  /// Moves a running statistic towards that of this pass; nothing happens in evaluation.
  func observe(_ buffer: Parameter, _ values: [Float], share: Float) {
    training?.updates.observe(buffer, values, share: share)
  }

  /// A buffer that a training draws again after every `interval` steps: step s uses draw
  /// (s - 1)/interval, and an evaluation what the last step had.
  ///
  /// - Parameter interval: 0 keeps the first draw.
  func redrawn(_ buffer: Parameter, every interval: Int) -> Tensor {
    guard interval > 0, let step = training?.step, step > 1, (step - 1) % interval == 0 else {
      return buffer.tensor
    }
    let values = buffer.draw((step - 1) / interval)
    training?.updates.replace(buffer, with: values)
    return Tensor(shape: buffer.shape, values)
  }
}

/// The number of a place where activations are dropped, from its name.
package func dropoutSite(_ path: String) -> UInt64 { fnv1a(path) }
