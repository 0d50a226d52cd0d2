// SPDX-License-Identifier: Apache-2.0

import Testing
import Training

@Suite("Time budgets")
struct TimeBudgetTests {
  /// 100 s; 0.1 s a step; 10 ms an example of 50 and of 1,000; 0.2 s a checkpoint.
  private func budget(limit: Double = 100) -> TimeBudget {
    var budget = TimeBudget(limit: limit, validationCount: 50, testCount: 1000, evalEvery: 100)
    budget.noteStep(seconds: 0.1)
    budget.noteEvaluation(seconds: 0.5, examples: 50)
    budget.noteSave(seconds: 0.2)
    return budget
  }

  @Test("The end is one validation pass and two test passes, with two checkpoints and some in hand")
  func end() {
    let expected = 1.1 * (0.5 + 0.2 + 20 + 0.2) + 2.1
    #expect(abs(budget().endSeconds - expected) < 1e-9)
  }

  @Test("As many steps fit as leave time for the end")
  func steps() {
    let budget = budget()
    let count = budget.steps(after: 10)
    let left = 100 - 10 - budget.endSeconds
    #expect(Double(count) * (0.1 + 0.7 / 100) <= left)
    #expect(Double(count + 1) * (0.1 + 0.7 / 100) > 0.94 * left)
    #expect(budget.steps(after: 80) == 0)
    #expect(self.budget(limit: .greatestFiniteMagnitude).steps(after: 0) > 1_000_000_000)
  }

  @Test("The last step is taken while the end still fits")
  func last() {
    let budget = budget()
    let latest = 100 - budget.endSeconds - 0.1
    #expect(budget.hasTimeForStep(after: latest - 0.01))
    #expect(!budget.hasTimeForStep(after: latest + 0.01))
    #expect(budget.hasTimeForEnd(after: 79, evaluated: false))
    #expect(!budget.hasTimeForEnd(after: 79.5, evaluated: false))
    #expect(budget.hasTimeForEnd(after: 79.5, evaluated: true))
  }

  @Test("Dear steps and evaluations count at once, cheap ones little by little")
  func measured() {
    var budget = budget()
    let before = budget.endSeconds
    budget.noteEvaluation(seconds: 1, examples: 50)
    #expect(abs(budget.endSeconds - before - 1.1 * 20.5) < 1e-9)
    let dear = budget.endSeconds
    budget.noteEvaluation(seconds: 0.1, examples: 50)
    #expect(budget.endSeconds < dear && budget.endSeconds > before)
    budget.noteEvaluation(seconds: 0, examples: 0)
    #expect(budget.endSeconds > before)
  }
}
