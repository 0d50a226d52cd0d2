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
  /// Whether no row depends on tokens behind its own.
  var isCausal: Bool { get }
}

extension VariantOptions {
  /// All have an effect.
  package var idle: [String: String] { [:] }
  /// All tokens see each other.
  package var isCausal: Bool { false }

  /// `model`.
  package static var section: String { ModelSettings.section }

  /// All values go with all others.
  package func validate(_ size: MixerSize) throws {}
}
