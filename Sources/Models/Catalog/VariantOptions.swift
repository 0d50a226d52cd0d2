import Base

/// A variant's own settings: every property is a `model.` key on the command line.
public protocol VariantOptions: Codable, Sendable {
  /// The defaults.
  init()
  /// Checks the values against the size of the model.
  ///
  /// - Throws: `UserError` naming the key.
  func validate(_ size: MixerSize) throws
  /// The settings that have no effect beside the values of the others, each with the reason.
  var idle: [String: String] { get }
}

extension VariantOptions {
  /// All have an effect.
  public var idle: [String: String] { [:] }

  /// Checks a whole number.
  ///
  /// - Parameter most: beyond it sums and products of sizes would overflow.
  /// - Throws: `UserError` naming the key.
  func require(
    _ key: String, _ value: Int, atLeast least: Int, atMost most: Int = 1 << 31
  ) throws {
    guard value >= least else {
      throw UserError(
        .configuration, "model.\(key) is \(value), but must be at least \(least)",
        remedy: "use \(least) or more")
    }
    guard value <= most else {
      throw UserError(
        .configuration, "model.\(key) is \(value), but must be at most \(most)",
        remedy: "use \(most) or less")
    }
  }
}
