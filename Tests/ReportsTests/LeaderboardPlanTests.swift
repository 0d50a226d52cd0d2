// SPDX-License-Identifier: Apache-2.0

import Base
import Machine
import Reports
import Testing
import Training

@Suite("The plan of a leaderboard")
struct LeaderboardPlanTests {
  private func item(
    _ model: String = "linear", step: Double = 1, test: Double = 10,
    _ state: LeaderboardPlan.State = .open
  ) -> LeaderboardPlan.Item {
    LeaderboardPlan.Item(
      cell: LeaderboardCell(
        task: "listops", model: model, preset: "small", length: nil, seed: 0, assignments: []),
      cost: RunCost(
        stepSeconds: step, validationSeconds: 5, testSeconds: test, peakResidentBytes: 100,
        steps: 1000, evalEvery: 100, threads: 1), state: state)
  }

  @Test("A list after --set is a side of the grid, and runs carry its values in their names")
  func sweep() throws {
    let grid = { (assignments: [String]) in
      try LeaderboardCell.grid(
        tasks: ["listops"], models: ["linear"], lengths: [], seeds: [0, 1], preset: nil,
        assignments: assignments)
    }
    let cells = try grid(["train.learning-rate=1e-3, 3e-4", "train.clip=0,1"])
    #expect(cells.count == 8 && cells.allSatisfy { $0.assignments.isEmpty })
    #expect(cells[1].swept == ["train.learning-rate=1e-3", "train.clip=1"])
    #expect(cells[1].folder(steps: 9) == "listops-linear-small-learning-rate=1e-3-clip=1-n9-s0")
    #expect(cells[1].flags(steps: nil).suffix(2) == ["--set", "train.clip=1"])
    #expect(try cells[1].resolve(dataFolder: "data").training.clip == 1)
    #expect(Set(cells.map { $0.folder(steps: nil) }).count == 8)
    // What was swept over before keeps its name beside a fixed value.
    let fixed = try grid(["train.batch=8", "train.clip=0,1"])
    #expect(fixed.count == 4 && fixed[0].assignments == ["train.batch=8"])
    #expect(fixed[0].folder(steps: nil).hasPrefix("listops-linear-small-clip=0-x"))
    let same = try grid(["train.seed=1,2", "task.seed=1,2"])
    #expect(same[0].folder(steps: nil).hasPrefix("listops-linear-small-train.seed=1-task.seed=1"))
    for wrong in ["train.clip=1,1", "train.clip=1,", "train.clip=,"] {
      #expect(throws: UserError.self) { try grid([wrong]) }
    }
  }

  @Test("A run costs its steps, the validations on the way and at the end, and two tests")
  func cost() {
    // 1000 · (1 + 5 / 100) + 5 + 2 · 10
    #expect(item().cost.seconds == 1075)
    #expect(item().cost.seconds(steps: 100) == 130)
  }

  @Test("Without a budget every training keeps its preset's steps")
  func whole() throws {
    let plan = try LeaderboardPlan([item(), item("s4d", step: 3)], budget: nil, jobs: 1)
    #expect(plan.steps == [nil, nil])
    #expect(plan.seconds(jobs: 1) == 1075 + 3075)
    #expect(plan.seconds(jobs: 2) == 3075)
  }

  @Test("A budget gives every open training the same share of its steps, and all of it fits")
  func shared() throws {
    let items = [item(), item("s4d", step: 3), item("fnet", .fixed(steps: 500, taken: 400))]
    let plan = try LeaderboardPlan(items, budget: 1000, jobs: 2)
    // (1000 · 2 · 0.9 − (100 · 1.05 + 25) − 2 · 25) / (1050 + 3050)
    #expect(abs(plan.share - 1620.0 / 4100) < 1e-12)
    #expect(plan.steps == [395, 395, nil])
    #expect(plan.seconds(jobs: 2) <= 1000 * 2)
    let alone = try LeaderboardPlan(items, budget: 1000, jobs: 1)
    #expect(alone.seconds(jobs: 1) <= 1000)
    #expect(alone.steps[0] == alone.steps[1])
  }

  @Test("A budget with room for everything changes nothing")
  func roomy() throws {
    let plan = try LeaderboardPlan([item()], budget: 10_000, jobs: 1)
    #expect(plan.steps == [nil])
    #expect(plan.share == 1)
  }

  @Test("A budget in which nothing can be trained says what would do")
  func tooSmall() throws {
    let error = #expect(throws: UserError.self) {
      try LeaderboardPlan([item()], budget: 20, jobs: 1)
    }
    // (25 + 10 / 1000 · 1050) / 0.9 = 39.4 s
    #expect(error?.problem == "the budget leaves 20 s for training, which is too little")
    #expect(error?.remedy == "give at least 39 s more than was used, or fewer models")
  }

  @Test("Memory is that of the largest trainings that run at once")
  func memory() throws {
    let plan = try LeaderboardPlan([item(), item(), item("s4d", .done)], budget: nil, jobs: 2)
    #expect(plan.peakBytes(jobs: 1) == 100)
    #expect(plan.peakBytes(jobs: 5) == 200)
  }
}

@Suite("The cells of a leaderboard")
struct LeaderboardCellTests {
  @Test("Seeds come last, and names tell lengths, steps and settings apart")
  func names() throws {
    let cells = try LeaderboardCell.grid(
      tasks: ["listops"], models: ["linear", "s4d"], lengths: [512], seeds: [0, 1], preset: nil,
      assignments: [])
    #expect(
      cells.map { $0.folder(steps: nil) } == [
        "listops-linear-small-l512-s0", "listops-s4d-small-l512-s0",
        "listops-linear-small-l512-s1", "listops-s4d-small-l512-s1",
      ])
    #expect(cells[0].folder(steps: 30) == "listops-linear-small-l512-n30-s0")
    var other = cells[0]
    other.assignments = ["train.clip=1"]
    #expect(other.kind != cells[0].kind)
    #expect(other.kind.hasPrefix("listops-linear-small-l512-x"))
  }

  @Test("Its flags resolve to the configuration that was checked")
  func flags() throws {
    let cell = try LeaderboardCell.grid(
      tasks: ["listops"], models: ["linear"], lengths: [512], seeds: [3], preset: "small",
      assignments: ["train.clip=1"])[0]
    let settings = try cell.resolve(dataFolder: "data").settings
    #expect(settings["task.length"] == 512)
    #expect(settings["train.seed"] == 3)
    #expect(settings["train.clip"] == 1.0)
    #expect(cell.flags(steps: 7).suffix(4) == ["--steps", "7", "--set", "train.clip=1"])
  }

  @Test("Unknown names are refused before anything is run")
  func unknown() {
    #expect(throws: UserError.self) {
      try LeaderboardCell.grid(
        tasks: ["listop"], models: ["linear"], lengths: [], seeds: [0], preset: nil,
        assignments: [])
    }
    #expect(throws: UserError.self) {
      try LeaderboardCell.grid(
        tasks: ["listops"], models: ["linea"], lengths: [], seeds: [0], preset: nil,
        assignments: [])
    }
  }
}
