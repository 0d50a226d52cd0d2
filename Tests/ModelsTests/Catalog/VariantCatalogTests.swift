// SPDX-License-Identifier: Apache-2.0

import Models
import Testing

/// What the catalog tells of each variant.
@Suite("The catalog of variants")
struct VariantCatalogTests {
  @Test(
    "Every setting has a line of help and a default that is allowed", arguments: VariantCatalog.all)
  func optionsAreExplained(entry: VariantEntry) throws {
    for option in entry.options {
      #expect(!option.help.isEmpty && option.help.count <= 100, "\(option.key)")
      try option.check(option.value)
    }
  }

  @Test("Names are lower-case words with hyphens, and none occurs twice")
  func names() {
    let names = VariantCatalog.all.map(\.name)
    #expect(Set(names).count == names.count)
    for name in names {
      #expect(name.wholeMatch(of: /[a-z][a-z0-9]*(-[a-z0-9]+)*/) != nil, "\(name)")
    }
  }

  @Test("A variant is told in full", arguments: VariantCatalog.all)
  func isComplete(entry: VariantEntry) {
    let about = entry.about
    #expect(about.arXiv.wholeMatch(of: /\d{4}\.\d{4,5}/) != nil)
    #expect(about.year > 1990 && !about.paper.isEmpty)
    for sentence in [about.summary] + about.deviations {
      #expect(sentence.hasSuffix(".") && sentence.count > 20, "\(sentence)")
    }
  }
}
