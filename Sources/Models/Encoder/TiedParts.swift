// SPDX-License-Identifier: Apache-2.0

import Base

/// Which parts of the blocks share their weights.
package enum TiedParts: String, SettingChoice {
  case none
  /// Mixers and feed-forward networks.
  case all
  /// Mixers.
  case attention
  /// Feed-forward networks.
  case feedForward = "feed-forward"
}

/// Which blocks of a model use the same weights.
struct TiedBlocks {
  private let parts: TiedParts
  private let group: Int
  private let layers: Int

  init(_ settings: ModelSettings) {
    parts = settings.tieLayers
    layers = settings.layers
    group = settings.tieGroup == 0 ? settings.layers : settings.tieGroup
  }

  /// The path of the weights that a block shares with others; nil where it has its own.
  func path(ofMixer isMixer: Bool, block: Int) -> String? {
    switch parts {
    case .none: return nil
    case .all: break
    case .attention: if !isMixer { return nil }
    case .feedForward: if isMixer { return nil }
    }
    let number = block / group
    // The last group may be a block alone, which has nobody to share with.
    guard min(layers, (number + 1) * group) - number * group > 1 else { return nil }
    return "blocks.shared.\(number)"
  }
}
