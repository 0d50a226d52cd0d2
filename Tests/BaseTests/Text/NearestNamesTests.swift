// SPDX-License-Identifier: Apache-2.0

import Base
import Testing

@Suite struct NearestNamesTests {
  private let names = ["train.steps", "train.batch", "model.layers", "listops", "linformer"]

  @Test(
    "A typing mistake finds its name",
    arguments: [
      ("listop", "listops"), ("lsitops", "listops"), ("linfromer", "linformer"),
      ("model.layer", "model.layers"), ("steps", "train.steps"), ("LISTOPS", "listops"),
    ])
  func found(typed: String, expected: String) {
    #expect(nearestNames(to: typed, among: names).first == expected)
  }

  @Test(
    "First letters find their name, with or without its section",
    arguments: ["train.lr", "lr", "LR", "train.wd", "model.ff"])
  func initials(typed: String) {
    let names = [
      "train.seed", "train.learning-rate", "train.weight-decay", "model.feed-forward", "model.lru",
    ]
    let last = typed.lowercased().suffix(2)
    let expected = names.first { name in
      let words = name.drop { $0 != "." }.dropFirst().split(separator: "-")
      return words.count > 1 && words.compactMap(\.first).elementsEqual(last)
    }
    #expect(nearestNames(to: typed, among: names + ["train.clip"]) == expected.map { [$0] })
  }

  @Test("Nothing is suggested for something else")
  func none() {
    #expect(nearestNames(to: "pathfinder", among: names).isEmpty)
    #expect(nearestNames(to: "", among: names).isEmpty)
  }

  @Test("At most three names, the closest first")
  func order() {
    #expect(
      nearestNames(to: "abcd", among: ["abxy", "abcx", "abcd", "abce"]) == ["abcd", "abcx", "abce"])
  }

  @Test(
    "Edits are counted", arguments: [("kitten", "sitting", 3), ("ab", "ba", 1), ("", "abc", 3)])
  func distance(a: String, b: String, edits: Int) {
    #expect(editDistance(Array(a.utf8), Array(b.utf8)) == edits)
  }
}
