import Autodiff
import Base

/// One run of a model over a batch: where its sequences lie, and whether and how to drop.
public struct ForwardContext {
  /// The sequences of the batch.
  public let segments: PackedSequences
  /// What one layer leaves for the next, beside its rows.
  let carried = Carried()
  /// The number of the batch's first sequence within the whole batch.
  public let firstSequence: Int
  private let random: Philox?
  private let number: UInt64
  private let firstRow: Int

  /// A pass without dropout.
  public static func evaluation(_ segments: PackedSequences) -> ForwardContext {
    ForwardContext(segments: segments, firstSequence: 0, random: nil, number: 0, firstRow: 0)
  }

  /// A pass that drops, as a function of seed, step, place in the model and place in the batch.
  ///
  /// - Parameters:
  ///   - firstSequence: the sequence of the whole batch at which this part of it begins.
  ///   - firstRow: its row.
  public static func training(
    _ segments: PackedSequences, seed: UInt64, step: Int, firstSequence: Int = 0, firstRow: Int = 0
  ) -> ForwardContext {
    ForwardContext(
      segments: segments, firstSequence: firstSequence, random: Philox(key: seed),
      number: UInt64(step), firstRow: firstRow)
  }

  /// The number of the optimizer's step, nil to evaluate.
  public var step: Int? { random == nil ? nil : Int(number) }

  /// 64 random bits for one place in the model and this step; nil to evaluate.
  ///
  /// - Parameter site: a number for the place, ``dropoutSite(_:)``.
  public func key(site: UInt64) -> UInt64? {
    guard let random else { return nil }
    let block = random.block((number, site))
    return UInt64(block.0) << 32 | UInt64(block.1)
  }

  /// The dropout of one place in the model.
  ///
  /// - Parameters:
  ///   - rate: the probability of dropping.
  ///   - site: a number for the place, ``dropoutSite(_:)``.
  public func dropout(_ rate: Double, site: UInt64) -> Dropout {
    dropout(rate, site: site, firstRow: firstRow)
  }

  /// The dropout of rows that are not tokens, of which every sequence has as many.
  ///
  /// - Parameters:
  ///   - rate: the probability of dropping.
  ///   - site: a number for the place, ``dropoutSite(_:)``.
  ///   - rowsPerSequence: rows of each sequence.
  public func dropout(_ rate: Double, site: UInt64, rowsPerSequence: Int) -> Dropout {
    dropout(rate, site: site, firstRow: firstSequence * rowsPerSequence)
  }

  private func dropout(_ rate: Double, site: UInt64, firstRow: Int) -> Dropout {
    guard rate > 0, let key = key(site: site) else { return .none }
    return Dropout(rate: Float(rate), key: key, firstRow: firstRow)
  }
}

/// The number of a place where activations are dropped, from its name.
public func dropoutSite(_ path: String) -> UInt64 { fnv1a(path) }
