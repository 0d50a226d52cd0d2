import Base

extension VariantOptions {
  /// Checks a whole number.
  ///
  /// - Throws: `UserError` naming the key.
  func require(_ key: String, _ value: Int, atLeast least: Int) throws {
    guard value >= least else {
      throw UserError(
        .configuration, "model.\(key) is \(value), but must be at least \(least)",
        remedy: "use \(least) or more")
    }
  }
}
