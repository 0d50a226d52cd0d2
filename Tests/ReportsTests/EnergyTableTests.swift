// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine
import Reports
import Testing

@Suite("Tables of energy")
struct EnergyTableTests {
  private func run(
    _ model: String, seed: Int = 0, counted: Double? = nil
  ) throws -> RunRecord {
    var run = try SyntheticRun(model: model, seed: seed).record()
    run.result?.energy = counted.map { EnergyEstimate(counted: $0) }
    return run
  }

  private func terms(tdp: String? = nil, grid: String? = nil) throws -> EnergyTerms {
    try EnergyTerms(tdp: tdp, grid: grid, pue: nil, price: nil, environment: [:])
  }

  private func energyTable(
    _ runs: [RunRecord], _ terms: EnergyTerms = EnergyTerms(), asked: Bool = false
  ) -> ReportTable? {
    ReportTables.all(runs, speed: [], terms: terms, asksEnergy: asked).first { $0.id == "energy" }
  }

  private func column(_ table: ReportTable, _ title: String) throws -> [String] {
    let place = try #require(table.columns.firstIndex { $0.title == title }, "\(title)")
    return table.rows.map { $0[place].text }
  }

  @Test("What is not known is empty, never 0, and the sum is that of the others")
  func sums() throws {
    let runs = try [run("s4d", counted: 7200), run("fnet"), run("local", counted: 14_400)]
    let table = try #require(energyTable(runs, terms(grid: "1")))
    #expect(
      try column(table, "run") == ["s4d", "fnet", "local"].map { "listops-\($0)-s0" } + [
        "sum of 2 of 3"
      ])
    #expect(
      try column(table, "energy, Wh") == ["2.0 (1.9–2.1)", "", "4.0 (3.8–4.2)", "6.0 (5.7–6.3)"])
    #expect(try column(table, "energy source") == ["rapl", "none", "rapl", "rapl"])
    // 2 Wh of 1 kg a kWh, with up to a tenth more for a building.
    #expect(
      try column(table, "CO2, g") == ["2.0 (1.9–2.3)", "", "4.0 (3.8–4.6)", "6.0 (5.7–6.9)"])
    #expect(try column(table, "training, min") == ["1.0", "1.0", "1.0", "2.0"])
    #expect(try column(table, "J/step") == ["72", "", "140", ""])
  }

  @Test("Runs of before it was noted are in the table where it is asked for, with empty cells")
  func old() throws {
    let runs = [try run("s4d")]
    #expect(energyTable(runs) == nil)
    let asked = try #require(energyTable(runs, asked: true))
    #expect(try column(asked, "energy, Wh") == [""])
    #expect(try column(asked, "energy source") == ["none"])
    #expect(asked.csv.contains("listops-s4d-s0,,1,,,none\r\n"))
  }

  @Test("The processor's power gives an estimate for the machine of the run, but not over a count")
  func power() throws {
    var runs = try [run("s4d"), run("fnet", counted: 3600), run("local")]
    var machine = RunEnvironment(threads: 1)
    (machine.cores, machine.memoryBytes) = (2, 8 << 30)
    runs[0].environment = machine
    runs[1].environment = machine
    let table = try #require(energyTable(runs, terms(tdp: "100/4")))
    // 60 s of 50 W·(0.1 + 0.9/8) + 10 W of memory.
    #expect(try column(table, "energy, Wh").first == "0.34 (0.17–0.52)")
    #expect(try column(table, "energy source") == ["model", "rapl", "none", "model"])
    #expect(table.caption.contains("100 W with 4 cores"))
  }

  @Test("Accuracy stands beside the energy of a seed where it is known")
  func accuracy() throws {
    let accuracy = { (runs: [RunRecord]) in
      try #require(
        ReportTables.all(runs, speed: []).first { $0.id.hasPrefix("accuracy-") })
    }
    let known = try accuracy([run("s4d", counted: 3600), run("s4d", seed: 1, counted: 10800)])
    #expect(try column(known, "energy, Wh") == ["2.0 (1.9–2.1)"])
    let partly = try accuracy([run("s4d", counted: 3600), run("s4d", seed: 1)])
    #expect(!partly.columns.contains { $0.title == "energy, Wh" })
    #expect(try !accuracy([run("s4d")]).columns.contains { $0.title == "energy source" })
  }
}
