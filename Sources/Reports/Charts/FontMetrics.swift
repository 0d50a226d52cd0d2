// SPDX-License-Identifier: Apache-2.0

/// The sizes of letters in a drawing, in its units, where the window is narrow and they are largest;
/// whatever has room for these has room for all.
enum FontMetrics {
  /// Titles of axes.
  static let title = 18
  /// Ticks of axes.
  static let tick = 17
  /// Names beside points.
  static let name = 15

  /// The width of a text in a wide font; in others it is less.
  static func width(_ text: String, size: Int) -> Double {
    Double(size) * text.reduce(0) { $0 + share($1) }
  }

  /// The width of a character, of the letters' size.
  private static func share(_ character: Character) -> Double {
    switch character {
    case "i", "j", "l", ".", ",": 0.32
    case "f", "r", "t", "-": 0.42
    case "m", "w", "M", "W": 0.98
    default: 0.64
    }
  }
}
