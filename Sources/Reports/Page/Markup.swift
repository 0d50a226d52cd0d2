// SPDX-License-Identifier: Apache-2.0

/// A piece of a page, HTML or SVG, whose texts are escaped where they enter.
struct Markup {
  /// The text as it stands in the file.
  let source: String

  /// A text of any content.
  static func text(_ text: String) -> Markup { Markup(source: escaped(text)) }

  /// An element; attributes without a value are left out.
  static func element(
    _ name: String, _ attributes: KeyValuePairs<String, String?> = [:], _ content: [Markup] = []
  ) -> Markup {
    let list = attributes.compactMap { key, value in
      value.map { " \(key)=\"\(escaped($0))\"" }
    }
    let inside = content.map(\.source).joined()
    // An empty element may be closed at once only where HTML knows it to be empty.
    let open = "<\(name)\(list.joined())"
    return Markup(
      source: inside.isEmpty && isVoid(name) ? "\(open)/>" : "\(open)>\(inside)</\(name)>")
  }

  /// An element around a text.
  static func element(
    _ name: String, _ attributes: KeyValuePairs<String, String?> = [:], text: String
  ) -> Markup {
    element(name, attributes, [.text(text)])
  }

  /// A text in which `&`, `<`, `>` and quotes are written as entities, and characters that XML does
  /// not allow are left out.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\n", "\t": result.unicodeScalars.append(scalar)
      case "\0"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": break
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func isVoid(_ name: String) -> Bool {
    ["path", "line", "rect", "circle", "polyline", "polygon", "meta", "br"].contains(name)
  }
}
