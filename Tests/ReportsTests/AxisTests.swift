// SPDX-License-Identifier: Apache-2.0

import Foundation
import Models
import Reports
import Testing

@Suite("Axes and looks")
struct AxisTests {
  @Test("Ticks are round numbers inside the axis")
  func ticks() {
    let linear = Axis("", unit: "", [0, 100], includesZero: true)
    #expect(linear.ticks.map(\.label) == ["0", "20", "40", "60", "80", "100"])
    let logarithmic = Axis("", unit: "", [0.7, 38], isLogarithmic: true)
    #expect(logarithmic.ticks.map(\.label) == ["1", "3", "10", "30"])
    let tokens = Axis("", unit: "", [1024, 16384], isLogarithmic: true)
    #expect(tokens.ticks.map(\.label) == ["1k", "3k", "10k"])
  }

  @Test("Values are told with their unit")
  func units() {
    #expect(Axis("", unit: "%", [0, 100]).measured(61.234) == "61.2 %")
    #expect(Axis("", unit: "s a step", [0, 1]).measured(0.01234) == "0.0123 s a step")
    #expect(Axis("", unit: "tokens", [0, 1]).measured(16384) == "16,384 tokens")
    #expect(Axis("", unit: "nats", [0, 1]).measured(2e300) == "2e+300 nats")
  }

  @Test("Equal distances are equal differences, or equal ratios on a logarithmic axis")
  func places() throws {
    let linear = Axis("", unit: "", [10, 20])
    let middle = try #require(linear.place(15))
    #expect(abs(middle - 0.5) < 1e-12)
    let logarithmic = Axis("", unit: "", [1, 100], isLogarithmic: true)
    #expect(abs(try #require(logarithmic.place(10)) - 0.5) < 1e-12)
    #expect(logarithmic.place(0) == nil)
    #expect(linear.place(.nan) == nil)
  }

  @Test("Nothing, one value, equal values and NaN have an axis too")
  func degenerate() {
    let cases: [[Double]] = [
      [], [3], [5, 5], [.nan, 2], [0, 0], [-.infinity], [1e20, 1e20 + 16384], [-1e308, 1e308],
      [.leastNonzeroMagnitude, 1], [1e17, 1e17 + 16], [9e15, 9e18], [1e-300, 1e300], [1e40],
    ]
    for values in cases {
      for isLogarithmic in [false, true] {
        let axis = Axis("", unit: "", values, isLogarithmic: isLogarithmic)
        #expect(!axis.ticks.isEmpty, "\(values)")
        for value in values { #expect(axis.place(value)?.isFinite != false) }
      }
    }
  }

  @Test("An axis shows no less than asked, so that noise is not made large")
  func span() throws {
    let axis = Axis("", unit: "%", [50, 50.2], span: 8)
    let (low, high) = try (#require(axis.place(50)), #require(axis.place(50.2)))
    #expect(abs((high - low) - 0.2 / (8 * 1.12)) < 1e-9)
    let share = Axis("", unit: "%", [0, 2], span: 20, limits: 0...100)
    // What is cut off below 0 is shown above: 20 % and a margin at both ends.
    #expect(share.place(0) == 0 && share.place(22.4).map { abs($0 - 1) < 1e-9 } == true)
    #expect(Axis("steps/s", unit: "", [1, 2], isLogarithmic: true).label == "steps/s (log scale)")
  }

  @Test("No two models of the catalog look the same; a report of two models has two colours")
  func looks() {
    let palette = SeriesPalette(VariantCatalog.all.map(\.name))
    let two = SeriesPalette(["synthesizer", "transformer", "synthesizer"])
    #expect(two["synthesizer"].color == 0 && two["transformer"].color == 1)
    let looks = VariantCatalog.all.map { palette[$0.name] }
    #expect(Set(looks).count == looks.count)
  }
}
