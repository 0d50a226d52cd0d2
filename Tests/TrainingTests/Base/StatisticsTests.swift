// SPDX-License-Identifier: Apache-2.0

import Base
import Testing

@Suite("Statistics")
struct StatisticsTests {
  @Test("The standard error of an accuracy")
  func error() {
    #expect(abs(standardError(accuracy: 0.5, count: 2500) - 0.01) < 1e-12)
    #expect(abs(standardError(accuracy: 0.36, count: 2000) - 0.010733126) < 1e-8)
    #expect(standardError(accuracy: 1, count: 10) == 0)
  }

  @Test("The binomial test counts exactly")
  func binomial() {
    // Ten throws of a coin: 56/1024 for eight or more.
    #expect(abs(chanceProbability(correct: 8, of: 10, share: 0.5) - 56.0 / 1024) < 1e-12)
    #expect(abs(chanceProbability(correct: 10, of: 10, share: 0.5) - 1.0 / 1024) < 1e-15)
    #expect(chanceProbability(correct: 0, of: 10, share: 0.5) == 1)
    // Summed in exact fractions.
    #expect(
      abs(chanceProbability(correct: 380, of: 2000, share: 0.173) - 0.024852537309845126) < 1e-7)
  }

  @Test("Only a result that guessing explains is remarked upon")
  func remark() {
    #expect(chanceRemark(correct: 500, of: 1000, share: 0.5) == "no better than chance (p = 0.51)")
    #expect(chanceRemark(correct: 560, of: 1000, share: 0.5) == nil)
  }

  @Test("The monitor speaks once, after a fifth of the run at chance")
  func atChance() throws {
    var monitor = ChanceMonitor(majorityShare: 0.5, steps: 1000)
    var spoken: [(step: Int, text: String)] = []
    for step in stride(from: 50, through: 1000, by: 50) {
      if let text = monitor.observe(step: step, correct: 801, of: 1600, loss: 0.6931) {
        spoken.append((step, text))
      }
    }
    #expect(spoken.map(\.step) == [200])
    #expect(try #require(spoken.first).text.contains("at chance for 200 steps: accuracy 50.1 %"))
    #expect(try #require(spoken.first).text.contains("loss 0.6931"))
  }

  @Test("The monitor is silent while training is above chance, and waits anew afterwards")
  func aboveChance() {
    var monitor = ChanceMonitor(majorityShare: 0.5, steps: 1000)
    for step in stride(from: 50, through: 500, by: 50) {
      #expect(monitor.observe(step: step, correct: 1000, of: 1600, loss: 0.6) == nil)
    }
    #expect(monitor.observe(step: 650, correct: 800, of: 1600, loss: 0.7) == nil)
    #expect(monitor.observe(step: 700, correct: 800, of: 1600, loss: 0.7) != nil)
  }

  @Test("A run that goes on does not count the steps before")
  func resumed() {
    var monitor = ChanceMonitor(majorityShare: 0.5, steps: 1000, after: 500)
    #expect(monitor.observe(step: 699, correct: 8, of: 16, loss: 0.7) == nil)
    #expect(monitor.observe(step: 700, correct: 8, of: 16, loss: 0.7) != nil)
  }
}
