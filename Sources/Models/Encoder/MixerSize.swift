// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// What every mixer needs to know of the model around it.
@dynamicMemberLookup
package struct MixerSize: Sendable {
  /// What every model has; its knobs are also members of the size, as `width`.
  ///
  /// Heads and inner width are those of the block.
  package let settings: ModelSettings
  /// The longest sequence, with the class token if there is one.
  package let length: Int
  /// The numbers that the block's heads have in the whole model.
  package let headNumbers: [Int]
  private let wholeSettings: ModelSettings

  /// A block of the whole model.
  init(settings: ModelSettings, length: Int) {
    self.init(
      settings, length: length,
      .init(number: 0, heads: Array(0..<settings.heads), inner: settings.feedForward))
  }

  /// A block of which some parts are left.
  init(_ whole: ModelSettings, length: Int, _ block: BlockShapes.Block) {
    wholeSettings = whole
    var own = whole
    (own.heads, own.feedForward) = (block.heads.count, block.inner)
    settings = own
    headNumbers = block.heads
    self.length = length
  }

  /// A block from which nothing was pruned.
  package var whole: MixerSize { MixerSize(settings: wholeSettings, length: length) }

  /// D, the width of one head.
  package var headWidth: Int {
    wholeSettings.headWidth == 0
      ? wholeSettings.width / wholeSettings.heads : wholeSettings.headWidth
  }

  /// H·D, which may differ from E.
  package var attentionWidth: Int { settings.heads * headWidth }

  /// A setting that every model has.
  package subscript<Value>(dynamicMember path: KeyPath<ModelSettings, Value>) -> Value {
    settings[keyPath: path]
  }

  /// The `index`-th block of H·D columns of packed rows, seen as H heads.
  func view(_ tensor: Tensor, _ index: Int = 0) -> HeadsView {
    HeadsView(tensor, column: index * attentionWidth, count: settings.heads, width: headWidth)
  }
}
