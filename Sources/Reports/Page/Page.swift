// SPDX-License-Identifier: Apache-2.0

/// What all pages of a report have in common.
enum Page {
  /// A whole file, well-formed as XML too.
  static func html(title: String, _ content: [Markup]) -> String {
    let head = Markup.element(
      "head", [:],
      [
        .element("meta", ["charset": "utf-8"]),
        .element("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"]),
        .element("title", [:], text: title),
        // Nothing in the style needs escaping, and entities would not be understood there.
        Markup(source: "<style>\(PageStyle.css)</style>"),
      ])
    let page = Markup.element("html", ["lang": "en"], [head, .element("body", [:], content)])
    return "<!DOCTYPE html>\n\(page.source)\n"
  }
}
