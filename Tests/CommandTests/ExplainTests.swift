// SPDX-License-Identifier: Apache-2.0

import Models
import Testing

@Suite("lra explain")
struct ExplainTests {
  @Test("tells paper, settings with help, deviations and values of presets")
  func json() throws {
    let found = try CommandRunner.lra("explain linformer --json").object()
    #expect(found["name"] as? String == "linformer" && found["year"] as? Int == 2020)
    #expect(found["cost"] as? String == "O(L)")
    let options = try #require(found["options"] as? [[String: Any]])
    let projected = try #require(options.first { $0["key"] as? String == "model.projected" })
    #expect(projected["default"] as? Int == 256)
    #expect((projected["help"] as? String)?.contains("keys and values") == true)
    #expect((found["deviations"] as? [String])?.isEmpty == false)
    let presets = try #require(found["presets"] as? [[String: Any]])
    let paper = try #require(presets.first { $0["preset"] as? String == "paper" })
    #expect(paper["task"] as? String == "listops")
    let value = try #require((paper["values"] as? [[String: Any]])?.first)
    #expect(value["key"] as? String == "model.projected" && value["value"] as? Int == 32)
    #expect((value["source"] as? String)?.contains("long-range-arena") == true)
  }

  @Test("tells people the same, of every model", arguments: VariantCatalog.all.map(\.name))
  func text(name: String) throws {
    let run = try CommandRunner.lra("explain \(name)")
    #expect(run.status == 0 && run.errors.isEmpty)
    let entry = try VariantCatalog.named(name)
    let about = entry.about
    let expected = [about.name, about.summary, about.paper, about.arXiv, about.cost.rawValue]
    for text in expected + about.deviations + entry.options.map(\.help) {
      #expect(run.output.contains(text), "\(text)")
    }
    for option in entry.options { #expect(run.output.contains("--set \(option.key)=")) }
    #expect(run.output.contains("docs/models.md#\(name)"))
  }

  @Test("a setting is told with its default, what it may be, and the values of presets")
  func setting() throws {
    let found = try CommandRunner.lra("explain train.warmup --json").object()
    let declared = try #require((found["declarations"] as? [[String: Any]])?.first)
    #expect(declared["default"] as? Int == 0 && declared["task"] == nil)
    #expect((declared["range"] as? String)?.hasPrefix("0 to ") == true)
    let presets = try #require(found["presets"] as? [[String: Any]])
    let paper = try #require(
      presets.first { $0["task"] as? String == "listops" && $0["preset"] as? String == "paper" })
    #expect(paper["value"] as? Int == 1000)
    #expect((paper["source"] as? String)?.contains("long-range-arena") == true)
    let text = try CommandRunner.lra("explain train.warmup").output
    for part in ["steps over which the rate rises", "default 0", "listops, paper", "1000"] {
      #expect(text.contains(part), "\(part)")
    }
  }

  @Test("a key of several models is told for each; values of single models name them")
  func options() throws {
    let text = try CommandRunner.lra("explain model.block").output
    for part in ["model.block  of local", "model.block  of bigbird", "model.block  of sinkhorn"] {
      #expect(text.contains(part), "\(part)")
    }
    #expect(try CommandRunner.lra("explain model.projected").output.contains("linformer"))
    #expect(try CommandRunner.lra("explain task.level").output.contains("easy, intermediate, hard"))
  }

  @Test("an unknown key is told with the nearest ones; flags go with their subject")
  func unknownKey() throws {
    let run = try CommandRunner.lra("explain train.warmap")
    #expect(run.status == 64 && run.output.isEmpty && run.errors.contains("train.warmup"))
    for flags in ["explain linformer --markdown", "explain settings --json"] {
      #expect(try CommandRunner.lra(flags).status == 64, "\(flags)")
    }
  }

  @Test("docs/settings.md is what the declarations say")
  func document() throws {
    let file = "\(CommandRunner.root)/docs/settings.md"
    let written = try String(contentsOfFile: file, encoding: .utf8)
    let generated = try CommandRunner.lra("explain settings --markdown").output
    #expect(
      written == generated, "write it anew: lra explain settings --markdown > docs/settings.md")
    let text = try CommandRunner.lra("explain settings").output
    #expect(text.contains("train.warmup") && text.contains("The model linformer"))
  }

  @Test("bigbird says that its random blocks depend on the number of blocks")
  func randomBlocks() throws {
    let run = try CommandRunner.lra("explain bigbird")
    #expect(run.output.contains("sequences with different numbers of blocks see different graphs"))
  }

  @Test("an unknown model is told with the nearest names, status 64")
  func unknown() throws {
    let run = try CommandRunner.lra("explain linforner")
    #expect(run.status == 64 && run.output.isEmpty)
    #expect(run.errors.contains("linforner") && run.errors.contains("did you mean linformer"))
  }
}
