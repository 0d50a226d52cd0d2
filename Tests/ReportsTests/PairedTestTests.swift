// SPDX-License-Identifier: Apache-2.0

import Foundation
import Reports
import Runs
import Testing

@Suite("The paired test")
struct PairedTestTests {
  /// Answers to `count` examples of class 0, of which some are right.
  private func answers(_ right: [Bool]) throws -> [Prediction] {
    try right.enumerated().map { id, isRight in
      let json = "{\"id\":\(id),\"label\":0,\"pred\":\(isRight ? 0 : 1),\"logits\":[0,0]}"
      return try JSONDecoder().decode(Prediction.self, from: Data(json.utf8))
    }
  }

  @Test("Only examples on which the two differ count, by the exact binomial")
  func mcNemar() throws {
    // Both right 3, only the first 8, only the second 2, both wrong 1.
    let first = [true, true, true] + Array(repeating: true, count: 8) + [false, false, false]
    let second = [true, true, true] + Array(repeating: false, count: 8) + [true, true, false]
    let test = try #require(PairedTest(try answers(first), try answers(second)))
    #expect((test.bothRight, test.onlyFirst, test.onlySecond, test.bothWrong) == (3, 8, 2, 1))
    // 2 · (C(10,8) + C(10,9) + C(10,10)) / 2^10 = 2 · 56 / 1024
    #expect(abs(test.probability - 112.0 / 1024) < 1e-12)
    #expect(abs(test.difference - 6.0 / 14) < 1e-12)
    #expect(abs(test.error - (10 - 36.0 / 14).squareRoot() / 14) < 1e-12)
  }

  @Test("Equal answers differ in nothing, and answers to other examples are refused")
  func edges() throws {
    let some = try answers([true, false, true])
    let same = try #require(PairedTest(some, some))
    #expect(same.probability == 1)
    #expect(same.error == 0)
    #expect(PairedTest(some, try answers([true])) == nil)
    #expect(PairedTest([], []) == nil)
    #expect(PairedTest(some, some.reversed()) == nil)
  }
}

@Suite("Plots of characters")
struct TextPlotTests {
  @Test("A line from corner to corner, with its axis and legend")
  func diagonal() {
    let plot = TextPlot(
      [TextPlot.Curve(name: "up", points: [(0, 0), (4, 4)])], width: 5, height: 5)
    #expect(
      plot.text == """
             4.0 |    *
                 |   *
                 |  *
                 | *
             0.0 |*
                 +-----
                  0   4
                  *  up
        """)
  }

  @Test("Nothing, one point and equal values are drawn without a crash")
  func degenerate() {
    #expect(TextPlot([]).text.isEmpty)
    #expect(TextPlot([TextPlot.Curve(name: "a", points: [])]).text.isEmpty)
    #expect(TextPlot([TextPlot.Curve(name: "a", points: [(3, 3)])]).text.contains("*  a"))
    #expect(TextPlot([TextPlot.Curve(name: "a", points: [(1, 2), (5, 2)])]).text.contains("*****"))
  }
}
