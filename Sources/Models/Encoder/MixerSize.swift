// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// What every mixer needs to know of the model around it.
@dynamicMemberLookup
package struct MixerSize: Sendable {
  /// What every model has; its knobs are also members of the size, as `width`.
  package let settings: ModelSettings
  /// The longest sequence, with the class token if there is one.
  package let length: Int

  /// D, the width of one head; H·D may differ from E.
  package var headWidth: Int {
    settings.headWidth == 0 ? settings.width / settings.heads : settings.headWidth
  }

  /// H·D.
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
