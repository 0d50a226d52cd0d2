// SPDX-License-Identifier: Apache-2.0

import Base
import Testing

@Suite("Knobs")
struct KnobTests {
  private enum Shape: String, SettingChoice {
    case round
    case flatAtTop = "flat-at-top"
  }

  private struct Section: SettingSection, Equatable {
    static let section = "test"
    @Knob("a count", 1...8) var warmRows = 2
    @Knob("a size", 0...) var size = 4
    @Knob("a rate", 0..<1) var rate = 0.0
    @Knob("a share", above: 0, through: 1) var share = 0.5
    @Knob("a shape", key: "form") var shape = Shape.round
    @Knob("a switch") var on = false
    @Knob("a seed") var seed: UInt64 = 3
    @Knob("a name") var name = ""
  }

  private func settings(_ changes: [String: Setting] = [:]) -> Settings {
    var settings = Settings()
    for declaration in Section.declarations {
      settings.declare(declaration.key, changes[declaration.name] ?? declaration.value)
    }
    return settings
  }

  @Test("A declaration has the property's name with hyphens or a key of its own, default and help")
  func declarations() {
    let all = Section.declarations
    #expect(
      all.map(\.key) == [
        "test.warm-rows", "test.size", "test.rate", "test.share", "test.form", "test.on",
        "test.seed", "test.name",
      ])
    #expect(all.map(\.value) == [2, 4, 0.0, 0.5, "round", false, 3, ""])
    #expect(
      all.map(\.range) == [
        "1 to 8", "0 to 4,194,304", "in 0 ..< 1", "above 0 and at most 1", "round, flat-at-top",
        "true or false", "an integer", "text",
      ])
    #expect(all[0].help == "a count")
  }

  @Test("Values are read by key, a whole number as a number, a negative seed by its bits")
  func values() throws {
    #expect(try Section(settings()) == Section())
    let read = try Section(
      settings(["warm-rows": 8, "rate": 0, "form": "flat-at-top", "on": true, "seed": -1]))
    #expect(read.warmRows == 8 && read.rate == 0 && read.shape == .flatAtTop && read.on)
    #expect(read.seed == .max && read.size == 4)
    #expect(try Section(values: ["size": 7]).size == 7)
    #expect(try Section.declarations[2].check(0) == .number(0))
  }

  @Test(
    "A value that is not allowed is refused with its key, what it is and what it may be",
    arguments: [
      ("warm-rows", Setting.integer(0), "test.warm-rows is 0, but must be at least 1"),
      ("warm-rows", 9, "test.warm-rows is 9, but must be at most 8"),
      ("size", .integer(1 << 40), "test.size is 1099511627776, but must be at most 4194304"),
      ("rate", 1.0, "test.rate is 1.0, but must be in 0 ..< 1"),
      ("rate", .number(.nan), "test.rate is nan, but must be finite"),
      ("share", 0, "test.share is 0, but must be above 0 and at most 1"),
      ("form", "square", "test.form is \"square\""),
      ("warm-rows", 1.5, "test.warm-rows: expected an integer, found \"1.5\""),
      ("on", "yes", "test.on: expected true or false, found \"yes\""),
    ])
  func refused(name: String, value: Setting, problem: String) {
    let error = #expect(throws: UserError.self) { try Section(settings([name: value])) }
    #expect(error?.problem == problem && error?.kind == .configuration)
  }

  @Test("The choices stand in the remedy; values set one by one are checked too")
  func checks() throws {
    let error = #expect(throws: UserError.self) { try Section(values: ["form": "square"]) }
    #expect(error?.remedy == "set it to round or flat-at-top")
    var section = try Section(settings())
    try section.check()
    section.warmRows = 0
    #expect(throws: UserError.self) { try section.check() }
  }
}
