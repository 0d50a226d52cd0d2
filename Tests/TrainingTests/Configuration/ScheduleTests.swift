// SPDX-License-Identifier: Apache-2.0

import Testing
import Training

@Suite("Schedule")
struct ScheduleTests {
  func near(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-12 * max(abs(a), abs(b)) + 1e-18 }

  @Test("The root schedule of LRA rises to base/√w and falls like 1/√t")
  func rsqrt() {
    let schedule = Schedule(kind: .rsqrt, base: 0.05, warmup: 1000, steps: 5000)
    #expect(near(schedule.rate(atStep: 1), 0.05 / 1000 / 1000.0.squareRoot()))
    #expect(near(schedule.rate(atStep: 500), 0.025 / 1000.0.squareRoot()))
    #expect(abs(schedule.rate(atStep: 1000) - 1.5811388e-3) < 1e-9)
    #expect(near(schedule.rate(atStep: 4000), 0.05 / 4000.0.squareRoot()))
    // Retrieval stops inside its warm-up.
    let retrieval = Schedule(kind: .rsqrt, base: 0.05, warmup: 8000, steps: 5000)
    #expect(abs(retrieval.rate(atStep: 5000) - 3.4938562e-4) < 1e-10)
  }

  @Test("The cosine falls from the base to zero after the warm-up")
  func cosine() {
    let schedule = Schedule(kind: .cosine, base: 2, warmup: 10, steps: 110)
    #expect(near(schedule.rate(atStep: 5), 1))
    #expect(near(schedule.rate(atStep: 10), 2))
    #expect(near(schedule.rate(atStep: 35), 1 + 0.5.squareRoot()))
    #expect(near(schedule.rate(atStep: 60), 1))
    #expect(schedule.rate(atStep: 110) < 1e-15)
  }

  @Test("The constant schedule warms up and stays; without warm-up it starts at the base")
  func constant() {
    let schedule = Schedule(kind: .constant, base: 3, warmup: 4, steps: 10)
    #expect([1, 2, 4, 10].map(schedule.rate(atStep:)) == [0.75, 1.5, 3, 3])
    for kind in [Schedule.Kind.constant, .rsqrt, .cosine] {
      #expect(Schedule(kind: kind, base: 3, warmup: 0, steps: 1000).rate(atStep: 1) > 2.99)
    }
  }

  @Test(
    "One cycle gives the rates and betas of PyTorch 2.15",
    arguments: [
      // total, warm-up, step, rate, beta; max_lr 1e-4, anneal_strategy "linear".
      (100, 30, 1, 4e-06, 0.95),
      (100, 30, 2, 7.310344827586206e-06, 0.946551724137931),
      (100, 30, 30, 0.0001, 0.85),
      (100, 30, 31, 9.857143428571429e-05, 0.8514285714285714),
      (100, 30, 65, 5.00002e-05, 0.8999999999999999),
      (100, 30, 100, 4.000000000008771e-10, 0.95),
      (5000, 1000, 999, 9.990390390390391e-05, 0.8501001001001001),
      (5000, 1000, 4999, 2.5399899999996463e-08, 0.949975),
      (20000, 8000, 2, 4.012001500187524e-06, 0.9499874984373046),
      (20000, 8000, 19999, 8.733300000003923e-09, 0.9499916666666666),
    ])
  func oneCycle(steps: Int, warmup: Int, step: Int, rate: Double, beta: Double) throws {
    let schedule = Schedule(kind: .oneCycle, base: 1e-4, warmup: warmup, steps: steps)
    #expect(abs(schedule.rate(atStep: step) - rate) < 1e-15)
    #expect(abs(try #require(schedule.beta1(atStep: step)) - beta) < 1e-12)
  }

  @Test("One cycle stays finite at the edges, and other shapes leave beta alone")
  func edges() {
    for (warmup, steps) in [(0, 1), (1, 1), (0, 5), (1, 5), (5, 5), (9, 5)] {
      let schedule = Schedule(kind: .oneCycle, base: 1, warmup: warmup, steps: steps)
      for step in 1...steps + 1 {
        let rate = schedule.rate(atStep: step)
        #expect(rate > 0 && rate <= 1, "warm-up \(warmup), steps \(steps), step \(step): \(rate)")
      }
    }
    #expect(Schedule(kind: .rsqrt, base: 1, warmup: 1, steps: 9).beta1(atStep: 3) == nil)
  }

  @Test("A fitted schedule has the same shape at the same share", arguments: Schedule.Kind.allCases)
  func fitted(kind: Schedule.Kind) {
    let long = Schedule(kind: kind, base: 0.05, warmup: 1000, steps: 5000)
    let short = long.fitted(toSteps: 500)
    #expect(short.warmup == 100 && short.steps == 500)
    for step in [10, 50, 100, 250, 400] {
      let (a, b) = (short.rate(atStep: step), long.rate(atStep: step * 10))
      // PyTorch's indexing moves the corners of one cycle by one step.
      #expect(kind == .oneCycle ? abs(a - b) < 0.05 * 0.011 : near(a, b))
    }
  }
}
