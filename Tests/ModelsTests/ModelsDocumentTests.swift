// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Models
import TestSupport
import Testing

/// `docs/models.md`, from which others re-implement the models.
@Suite("The document of the models")
struct ModelsDocumentTests {
  private let common: String
  private let sections: [String: String]

  init() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "docs/models.md")
    let parts = try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n## ")
    let models = Set(VariantCatalog.all.map(\.name))
    let named = parts.map { (name: $0.components(separatedBy: "\n")[0], text: $0) }
    common = named.filter { !models.contains($0.name) }.map(\.text).joined()
    sections = Dictionary(
      uniqueKeysWithValues: named.filter { models.contains($0.name) }.map { ($0.name, $0.text) })
  }

  @Test(
    "Every model has a section that names its paper, options and defaults",
    arguments: VariantCatalog.all.filter { !$0.about.isDraft })
  func section(entry: VariantEntry) throws {
    let section = try #require(sections[entry.name], "\(entry.name)")
    #expect(section.contains(entry.about.arXiv))
    for (key, value) in entry.options.map({ ($0.name, $0.value) }) {
      let lines = section.split(separator: "\n").filter { $0.contains("`\(key)`") }
      let words = Set(lines.flatMap { $0.split { " |,;:()".contains($0) }.map(String.init) })
      #expect(words.contains(text(of: value)), "\(key), \(value) by default")
    }
  }

  /// A default as the document writes it.
  private func text(of value: Setting) -> String {
    switch value.description {
    case "6.283185307179586": "2π"
    case "1e-06": "1e-6"
    case let text: text.replacing(/\.0$/, with: "")
    }
  }

  @Test("Every tensor of every option is named", arguments: Fixture.names)
  func tensors(name: String) throws {
    let model = try Fixture(name).makeModel()
    let name = model.configuration.name
    if try VariantCatalog.named(name).about.isDraft { return }
    let section = try #require(sections[name])
    let documented = names(in: common).union(names(in: section))
    for parameter in model.parameters.all {
      let path = parameter.name.replacing(/^blocks\.\d+\./, with: "blocks.i.")
        .replacing(/\.\d+$/, with: ".h")
      let short = path.replacing("blocks.i.mixer.", with: "")
      #expect(!documented.isDisjoint(with: [path, short]), "\(parameter.name)")
    }
  }

  /// What stands in backticks; `a.{b,c}` is two names, and `.c` behind `a.b` is `a.c`.
  private func names(in text: String) -> Set<String> {
    var names: Set<String> = []
    for line in text.split(separator: "\n") {
      var stems: [String] = []
      for match in line.matches(of: /`([a-z{][a-zA-Z0-9.{},-]*|\.[a-z.]+)`/) {
        let word = String(match.output.1)
        let alternatives = word.hasPrefix(".") ? stems.map { $0 + word } : expanded(word)
        names.formUnion(alternatives)
        if !word.hasPrefix(".") { stems = alternatives.map(stem) }
      }
    }
    return names
  }

  /// The name that a following `.shift`, or `.expand.weight`, goes on from.
  private func stem(_ name: String) -> String {
    String(name.replacing(".reduce.weight", with: "").replacing(/\.(scale|weight|mean)$/, with: ""))
  }

  private func expanded(_ word: String) -> [String] {
    guard let braces = word.firstMatch(of: /\{(.*)\}/) else { return [word] }
    return braces.output.1.split(separator: ",").map { word.replacing(braces.output.0, with: $0) }
  }
}
