// SPDX-License-Identifier: Apache-2.0

import Base

/// A variant's own settings: every property is a `model.` key on the command line.
package protocol VariantOptions: SettingSection {
  /// Checks what the ranges of single settings leave open.
  ///
  /// - Throws: `UserError` naming the key.
  func validate(_ size: MixerSize) throws
  /// The settings that have no effect beside the values of the others, each with the reason.
  var idle: [String: String] { get }
}

extension VariantOptions {
  /// All have an effect.
  package var idle: [String: String] { [:] }

  /// `model`.
  package static var section: String { ModelSettings.section }

  /// All values go with all others.
  package func validate(_ size: MixerSize) throws {}
}
