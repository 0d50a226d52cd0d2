import Base

/// A variant's own settings: every property is a `model.` key on the command line.
public protocol VariantOptions: SettingSection {
  /// Checks what the ranges of single settings leave open.
  ///
  /// - Throws: `UserError` naming the key.
  func validate(_ size: MixerSize) throws
  /// The settings that have no effect beside the values of the others, each with the reason.
  var idle: [String: String] { get }
}

extension VariantOptions {
  /// All have an effect.
  public var idle: [String: String] { [:] }

  /// `model`.
  public static var section: String { ModelSettings.section }

  /// All values go with all others.
  public func validate(_ size: MixerSize) throws {}
}
