// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("Energy on the command line")
struct EnergyTests {
  @Test(
    "A stated power is told at the end of a training and an evaluation, and reported with its CO2")
  func model() throws {
    try withScratchFolder { folder in
      let power = ["LRA_TDP": "65", "LRA_GRID": "FRA"]
      let training = TinyTraining(folder: folder)
      let trained = try CommandRunner.run(
        CommandRunner.program, training.arguments + ["--output", "\(folder)/run", "--steps", "8"],
        environment: power)
      #expect(trained.status == 0, "\(trained.errors)")
      let told = try #require(trained.lines.first { $0.hasPrefix("energy  ") })
      #expect(told.contains(", model; ") && told.contains(" of CO2; grid FRA"), "\(told)")
      let result = try jsonObject(
        String(contentsOfFile: "\(folder)/run/result.json", encoding: .utf8))
      let energy = try #require(result["energy"] as? [String: Any])
      #expect(energy["source"] as? String == "model")
      let carbon = try #require(result["carbon"] as? [String: Any])
      #expect(carbon["grid"] as? String == "FRA" && carbon["kilograms"] != nil)
      #expect((result["training_flops"] as? Double ?? 0) > 1e6)
      let evaluated = try CommandRunner.lra(
        "evaluate \(folder)/run --split val", environment: power)
      #expect(evaluated.lines.contains { $0.hasPrefix("energy    ") }, "\(evaluated.output)")
      let report = try CommandRunner.lra(
        "report \(folder)/run --tables --energy --tdp 65 --grid WORLD --pue 1.2 --price 0.20 --output "
          + "\(folder)/report")
      #expect(report.status == 0, "\(report.errors)")
      for text in ["## Energy of training", "| CO2, g |", "(WORLD)", "1.2 (1.1–1.3)", "| price |"] {
        #expect(report.output.contains(text), "\(text)")
      }
      let page = try String(contentsOfFile: "\(folder)/report/index.html", encoding: .utf8)
      #expect(page.contains("Energy of training"))
    }
  }

  @Test("Bad terms are refused before anything is done, from flags and from the environment")
  func refusals() throws {
    let unknown = try CommandRunner.lra("report nowhere --grid FRB")
    #expect(
      unknown.status == 64 && unknown.errors.contains("did you mean FRA"), "\(unknown.errors)")
    let price = try CommandRunner.lra("report nowhere --price 0,20")
    #expect(price.status == 64 && price.errors.contains("--price: \"0,20\""), "\(price.errors)")
    let power = try CommandRunner.lra("list", environment: ["LRA_TDP": "much"])
    #expect(power.status == 64 && power.errors.contains("LRA_TDP"), "\(power.errors)")
  }
}
