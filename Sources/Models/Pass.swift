import Autodiff
import Base

/// One run of a model over a batch: where its sequences lie, and whether and how to drop.
public struct Pass: Sendable {
  /// The sequences of the batch.
  public let segments: Segments
  private let random: Philox?
  private let step: UInt64
  private let firstRow: Int

  /// A pass without dropout.
  public static func evaluation(_ segments: Segments) -> Pass {
    Pass(segments: segments, random: nil, step: 0, firstRow: 0)
  }

  /// A pass that drops, as a function of seed, step, place in the model and place in the batch.
  ///
  /// - Parameters:
  ///   - firstRow: the row of the whole batch at which this part of it begins.
  public static func training(
    _ segments: Segments, seed: UInt64, step: Int, firstRow: Int = 0
  ) -> Pass {
    Pass(
      segments: segments, random: Philox(key: seed), step: UInt64(step), firstRow: firstRow)
  }

  /// The dropout of one place in the model.
  ///
  /// - Parameters:
  ///   - rate: the probability of dropping.
  ///   - site: a number for the place, ``dropoutSite(_:)``.
  public func dropout(_ rate: Double, site: UInt64) -> Dropout {
    guard let random, rate > 0 else { return .none }
    let block = random.block((step, site))
    return Dropout(
      rate: Float(rate), key: UInt64(block.0) << 32 | UInt64(block.1), firstRow: firstRow)
  }
}

/// The number of a place where activations are dropped, from its name.
public func dropoutSite(_ path: String) -> UInt64 { fnv1a(path) }
