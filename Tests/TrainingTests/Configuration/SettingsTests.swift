// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Testing
import Training

@Suite("Settings")
struct SettingsTests {
  func sample() -> Settings {
    var settings = Settings()
    settings.declare("task.name", "listops")
    settings.declare("train.learning-rate", 0.05)
    settings.declare("train.steps", 5000)
    settings.declare("train.schedule", "rsqrt")
    settings.declare("model.shared", false)
    return settings
  }

  @Test("Later values win and leave their origin; the order stays")
  func order() throws {
    var settings = sample()
    try settings.set("train.steps", 20, origin: "preset quick")
    try settings.set("train.steps", 30, origin: "--steps")
    #expect(try settings.integer("train.steps") == 30)
    #expect(settings.entries.map(\.key).first == "task.name")
    #expect(settings.entries[2].origin == "--steps")
    #expect(settings.entries[1].origin == "default")
  }

  @Test("Assignments are read as the declared kind")
  func assignments() throws {
    var settings = sample()
    try settings.set(assignment: "train.learning-rate=1e-4", origin: "--set")
    try settings.set(assignment: "train.steps = 7", origin: "--set")
    try settings.set(assignment: "model.shared=true", origin: "--set")
    try settings.set(assignment: "task.name=12", origin: "--set")
    #expect(try settings.number("train.learning-rate") == 1e-4)
    #expect(try settings.integer("train.steps") == 7)
    #expect(try settings.boolean("model.shared"))
    #expect(try settings.text("task.name") == "12")
    try settings.set(assignment: "train.learning-rate=1", origin: "--set")
    #expect(settings["train.learning-rate"] == .number(1))
  }

  @Test("A mistyped key is refused with the nearest ones and its section")
  func unknownKey() {
    var settings = sample()
    let typo = userError { try settings.set("train.learning-rat", 1, origin: "--set") }
    #expect(typo?.kind == .configuration)
    #expect(typo?.problem.contains("train.learning-rat in section train") == true)
    #expect(typo?.remedy.contains("train.learning-rate") == true)
    let lost = userError { try settings.set("zzzzzzzzzzzzzzz.qqqqqqqqqq", 1, origin: "--set") }
    #expect(lost?.problem.contains("no section \"zzzzzzzzzzzzzzz\"") == true)
  }

  @Test(
    "A value of another kind is refused with what was given and what is expected",
    arguments: [
      ("train.steps=many", "an integer"), ("train.steps=1.5", "an integer"),
      ("train.learning-rate=fast", "a finite number"), ("train.learning-rate=nan", "finite"),
      ("train.learning-rate=inf", "finite"), ("model.shared=yes", "true or false"),
    ])
  func wrongKind(assignment: String, expected: String) throws {
    var settings = sample()
    let error = userError { try settings.set(assignment: assignment, origin: "--set") }
    let parts = assignment.split(separator: "=" as Character)
    #expect(error?.kind == .configuration)
    for part in [String(parts[0]), "\"\(parts[1])\"", expected, "--set"] {
      #expect(error?.problem.contains(part) == true, "\(part) in \(error?.problem ?? "")")
    }
    #expect(settings == sample())
  }

  @Test("Values of another kind are refused when given as such, and text needs an equals sign")
  func wrongValues() {
    var settings = sample()
    #expect(userError { try settings.set("train.steps", 1.5, origin: "x") } != nil)
    #expect(userError { try settings.set("train.steps", "5", origin: "x") } != nil)
    #expect(userError { try settings.set("task.name", 5, origin: "x") } != nil)
    #expect(userError { try settings.set(assignment: "train.steps", origin: "x") } != nil)
    #expect(userError { _ = try settings.integer("train.nothing") } != nil)
    #expect(userError { _ = try settings.integer("task.name") } != nil)
  }

  @Test("A choice lists the cases")
  func choice() throws {
    var settings = sample()
    #expect(try settings.choice("train.schedule", of: Schedule.Kind.self) == .rsqrt)
    try settings.set("train.schedule", "sine", origin: "x")
    let error = userError { _ = try settings.choice("train.schedule", of: Schedule.Kind.self) }
    #expect(error?.problem.contains("constant, rsqrt, cosine, one-cycle") == true)
  }

  @Test("JSON is nested, comes back equal, and keeps the hash")
  func json() throws {
    var settings = sample()
    try settings.set("train.learning-rate", 2, origin: "x")
    let json = try settings.json()
    let text = String(decoding: json, as: UTF8.self)
    #expect(text.contains("\"train\" : {"))
    #expect(text.contains("\"learning-rate\" : 2"))
    let bare = try Settings(json: json, origin: "config.json")
    #expect(try bare.hash() == settings.hash())
    #expect(try bare.number("train.learning-rate") == 2)
    #expect(try Settings(settings.nested, origin: "f").hash() == settings.hash())
    for wrong in ["[1]", #"{"train":1}"#] {
      #expect(userError { _ = try Settings(json: Data(wrong.utf8), origin: "f") } != nil)
    }
    let twice: [String: [String: Setting]] = ["a.b": ["c": 1], "a": ["b.c": 2]]
    let error = userError { _ = try Settings(twice, origin: "f") }
    #expect(error?.problem.hasSuffix("a.b.c occurs twice") == true)
  }

  @Test("The hash follows values, not origins, order or excluded keys")
  func hash() throws {
    var one = Settings()
    one.declare("a.b", 1)
    one.declare("a.c", "x")
    var two = Settings()
    two.declare("a.c", "x", origin: "flag")
    two.declare("a.b", 1)
    #expect(try one.hash() == two.hash())
    // FNV-1a of {"a":{"b":1,"c":"x"}}, computed apart.
    #expect(try one.hash() == "60cd669460558130")
    try two.set("a.b", 2, origin: "flag")
    #expect(try one.hash() != two.hash())
    #expect(try one.hash(excluding: ["a.b"]) == two.hash(excluding: ["a.b"]))
  }

  @Test("The explanation is an aligned table")
  func explained() throws {
    var settings = Settings()
    settings.declare("train.steps", 5000)
    settings.declare("train.rate", 0.5)
    try settings.set("train.rate", 1e-5, origin: "--set")
    #expect(settings.explained() == "train.steps  5000   default\ntrain.rate   1e-05  --set")
  }
}
