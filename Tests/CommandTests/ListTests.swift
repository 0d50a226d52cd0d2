// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("lra list")
struct ListTests {
  @Test("lists tasks with presets, and models with settings and parameters")
  func json() throws {
    let listing = try CommandRunner.lra("list --json").object()
    let tasks = try #require(listing["tasks"] as? [[String: Any]])
    let listOps = try #require(tasks.first { $0["name"] as? String == "listops" })
    #expect(listOps["classes"] as? Int == 10)
    #expect(listOps["length"] as? Int == 2000)
    let presets = try #require(listOps["presets"] as? [[String: Any]])
    #expect(presets.first?["name"] as? String == "small")
    let quick = try #require(presets.first { $0["name"] as? String == "quick" })
    #expect(quick["comparable"] as? Bool == false)

    let models = try #require(listing["models"] as? [[String: Any]])
    let parameters = Dictionary(
      uniqueKeysWithValues: models.map { ($0["name"] as? String, $0["parameters"] as? Int ?? 0) })
    // Two layers, each with projections of keys and values from 2000 tokens to 256.
    let difference = try #require(parameters["linformer"]) - (parameters["transformer"] ?? 0)
    #expect(difference == 2 * 2 * 256 * 2000)
    let linformer = try #require(models.first { $0["name"] as? String == "linformer" })
    #expect((linformer["options"] as? [String: Any])?["projected"] as? Int == 256)
  }

  @Test("prints the same for people")
  func text() throws {
    let run = try CommandRunner.lra("list")
    #expect(run.status == 0)
    for text in ["listops", "quick", "not comparable", "linformer", "model.projected=256", "O(L"] {
      #expect(run.output.contains(text), "\(text)")
    }
  }
}
