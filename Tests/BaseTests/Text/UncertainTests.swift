// SPDX-License-Identifier: Apache-2.0

import Base
import Testing

@Suite("Amounts with a range")
struct UncertainTests {
  @Test(
    "Two significant digits",
    arguments: [
      (0, "0"), (0.0749, "0.075"), (0.0996, "0.10"), (0.5, "0.50"), (1, "1.0"), (9.94, "9.9"),
      (9.96, "10"), (56.3, "56"), (99.7, "100"), (104, "100"), (1507, "1,500"),
      (652_123, "650,000"), (999_999, "1,000,000"),
    ])
  func digits(value: Double, text: String) {
    #expect(formatSignificant(value) == text)
  }

  @Test("A product has the product of the ends, a sum their sum, and both contain the value")
  func arithmetic() {
    let a = Uncertain(2, low: 1, high: 3)
    let b = Uncertain(10, low: 5, high: 20)
    #expect(a * b == Uncertain(20, low: 5, high: 60))
    #expect(a + b == Uncertain(12, low: 6, high: 23))
    #expect(a * 2 == Uncertain(4, low: 2, high: 6))
    #expect(Uncertain(4, within: 0.5...1.5) == Uncertain(4, low: 2, high: 6))
  }

  @Test("It is told with its range, in the unit that fits")
  func text() {
    let units = [("g", 1.0), ("kg", 1000), ("t", 1e6)]
    #expect(Uncertain(56.3, low: 28.1, high: 84.4).text == "56 (28–84)")
    #expect(Uncertain(exactly: 56.3).text == "56")
    #expect(Uncertain(1438, low: 700, high: 3000).text(units: units) == "1.4 kg (0.70–3.0)")
    #expect(Uncertain(exactly: 0.2).text(units: units) == "0.20 g")
  }
}
