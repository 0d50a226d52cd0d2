// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine
import Testing

@Suite("Energy estimates")
struct EnergyEstimateTests {
  private func terms(
    tdp: String? = nil, grid: String? = nil, pue: String? = nil, price: String? = nil,
    _ environment: [String: String] = [:]
  ) throws -> EnergyTerms {
    try EnergyTerms(tdp: tdp, grid: grid, pue: pue, price: price, environment: environment)
  }

  @Test(
    "The power of a machine of 65 W by its load",
    arguments: [(0.5, 13.8125), (0.8, 36.452), (1, 65), (2, 65), (0, 6.5)])
  func power(load: Double, watts: Double) {
    let power = PowerModel(tdp: 65, load: load, memoryBytes: nil).watts
    #expect(abs(power.value - watts) < 1e-9)
    #expect(power.low == power.value / 2 && power.high == power.value * 1.5)
  }

  @Test(
    "The power of memory by its size",
    arguments: [
      (8, 10.0), (16, 10), (17, 20), (64, 20), (128, 38), (256, 38), (512, 70), (1024, 126),
    ])
  func memory(gibibytes: Int, watts: Double) {
    let power = PowerModel(tdp: 0, load: 0, memoryBytes: gibibytes << 30)
    #expect(abs(power.ram - watts) < 1e-9)
  }

  @Test("An hour of 75 W: 0.075 kWh, 35.6 g of the world's mean, 56.3 g with an overhead of 1.58")
  func golden() throws {
    let energy = EnergyEstimate(
      seconds: 3600, power: PowerModel(tdp: 55, load: 1, memoryBytes: 64 << 30))
    let own = try #require(try terms(grid: "world").footprint(energy))
    #expect(abs(own.kilowattHours.value - 0.075) < 1e-12)
    #expect(abs(try #require(own.kilograms).value - 0.035625) < 1e-12)
    let centre = try #require(
      try terms(grid: "WORLD", pue: "1.58", price: "0.20").footprint(energy))
    #expect(abs(try #require(centre.kilograms).value - 0.0562875) < 1e-12)
    #expect(abs(try #require(centre.cost).value - 0.0237) < 1e-12)
    // The product of the ranges: half to 1.5, 1.48 to 1.68, half to double.
    #expect(abs(try #require(centre.kilograms).low - 0.0375 * 1.48 * 0.2375) < 1e-12)
    #expect(abs(try #require(centre.kilograms).high - 0.1125 * 1.68 * 0.95) < 1e-12)
  }

  @Test("A part of a processor has its share of the power")
  func share() throws {
    let part = try ThermalPower(parsing: "280/64", option: "--tdp")
    #expect(abs(part.model(threads: 2, of: 2, memoryBytes: nil).watts.value - 8.75) < 1e-9)
    let whole = try ThermalPower(parsing: "65", option: "--tdp")
    #expect(abs(whole.model(threads: 2, of: 4, memoryBytes: nil).watts.value - 13.8125) < 1e-9)
  }

  @Test("What was counted stands before a model, and nothing is no 0")
  func sources() throws {
    let power = PowerModel(tdp: 65, load: 1, memoryBytes: nil)
    let counted = EnergyEstimate(seconds: 10, counted: 200, power: power)
    #expect(counted.source == .rapl)
    #expect(counted.joules == Uncertain(200, low: 190, high: 210))
    let modelled = EnergyEstimate(seconds: 10, power: power)
    #expect(modelled.source == .model && modelled.joules?.value == 650)
    let unknown = EnergyEstimate(seconds: 10, power: nil)
    #expect(unknown == .none && unknown.joules == nil && unknown.text.isEmpty)
    #expect(try terms(grid: "FRA", price: "1").footprint(unknown) == nil)
    #expect(counted.text == "200 J (190–210), rapl")
    #expect(modelled.text == "650 J (320–980), model")
  }

  @Test("A total is the sum of its parts, of the less certain source, and unknown where a part is")
  func totals() throws {
    let counted = EnergyEstimate(counted: 100)
    let modelled = EnergyEstimate(
      seconds: 1, power: PowerModel(tdp: 50, load: 1, memoryBytes: nil))
    let sum = try #require(EnergyEstimate.total([counted, modelled, counted]))
    #expect(sum.source == .model)
    #expect(sum.joules == Uncertain(250, low: 215, high: 285))
    #expect((counted + counted).source == .rapl && (modelled + counted).source == .model)
    #expect(EnergyEstimate.total([counted, .none]) == EnergyEstimate.none)
    #expect(EnergyEstimate.total([]) == nil)
  }

  @Test("What flags do not say, the environment does")
  func environment() throws {
    let variables = [
      "LRA_TDP": "65", "LRA_GRID": "FRA", "LRA_PUE": "1.2", "LRA_PRICE": "0.1-0.3",
    ]
    let fromVariables = try terms(variables)
    #expect(fromVariables.tdp?.watts == 65 && fromVariables.grid?.kilograms.value == 0.056)
    #expect(fromVariables.pue == Uncertain(1.2, low: 1.2 - 0.1, high: 1.2 + 0.1))
    #expect(fromVariables.price == Uncertain(0.2, low: 0.1, high: 0.3))
    #expect(try terms(grid: "0.433", variables).grid?.kilograms == Uncertain(exactly: 0.433))
    #expect(try terms(["LRA_TDP": ""]) == EnergyTerms())
  }

  @Test(
    "What cannot be meant is refused under its name, and the nearest grid named",
    arguments: [
      (["tdp": "65 W"], "--tdp"), (["tdp": "0"], "--tdp"), (["tdp": "65/0"], "--tdp"),
      (["tdp": "65/2/3"], "--tdp"), (["grid": "FRQ"], "FRA"), (["grid": ""], "WORLD"),
      (["grid": "433"], "kg, not g"), (["pue": "0.9"], "--pue"), (["pue": "nan"], "--pue"),
      (["price": "0.2$"], "--price"), (["price": "3-2"], "--price"), (["price": "-1"], "--price"),
      (["price": "1-2-3"], "--price"), (["price": "inf"], "--price"),
    ])
  func refusal(flags: [String: String], expected: String) {
    let error = #expect(throws: UserError.self) {
      try terms(
        tdp: flags["tdp"], grid: flags["grid"], pue: flags["pue"], price: flags["price"])
    }
    #expect(error?.kind == .usage && error?.description.contains(expected) == true)
  }

  @Test("What stands in a file is checked")
  func check() throws {
    let read = { (text: String) throws(FieldFault) in
      try SnakeCaseJSON.checked(EnergyEstimate.self, from: Array(text.utf8))
    }
    let estimate = EnergyEstimate(counted: 7)
    let text = String(decoding: try SnakeCaseJSON.encoded(estimate), as: UTF8.self)
    #expect(try read(text) == estimate)
    #expect(try read(#"{"source":"none"}"#) == EnergyEstimate.none)
    for wrong in [
      #"{"source":"rapl"}"#, #"{"source":"guess"}"#,
      #"{"joules":{"high":2,"low":1,"value":1},"source":"none"}"#,
      #"{"joules":{"high":2,"low":1,"value":3},"source":"rapl"}"#,
      #"{"joules":{"high":2,"low":-1,"value":1},"source":"rapl"}"#,
    ] {
      #expect(throws: FieldFault.self) { try read(wrong) }
    }
  }
}
