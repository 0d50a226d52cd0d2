import Autodiff

/// What every mixer needs to know of the model around it.
public struct MixerSize: Sendable {
  /// E, the width of the rows.
  public let width: Int
  /// F, the width between the maps of the feed-forward network; 0 where blocks have none.
  public let feedForward: Int
  /// H.
  public let heads: Int
  /// D, the width of one head; H·D may differ from E.
  public let headWidth: Int
  /// The longest sequence, with the class token if there is one.
  public let length: Int
  /// How the rows are normalised.
  public let normalization: Normalization
  /// Blocks of the model.
  public let layers: Int
  /// The probability of dropping an element of the branch.
  public let dropout: Double
  /// The probability of dropping an attention weight.
  public let attentionDropout: Double

  /// H·D.
  public var attentionWidth: Int { heads * headWidth }

  /// The `index`-th block of H·D columns of packed rows, as H heads.
  func heads(_ tensor: Tensor, _ index: Int = 0) -> HeadsView {
    HeadsView(tensor, column: index * attentionWidth, count: heads, width: headWidth)
  }
}
