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
    let about = try VariantCatalog.named(name).about
    let expected = [about.name, about.summary, about.paper, about.arXiv, about.cost.rawValue]
    for text in expected + about.deviations + Array(about.options.values) {
      #expect(run.output.contains(text), "\(text)")
    }
    for key in about.options.keys { #expect(run.output.contains("--set model.\(key)=")) }
    #expect(run.output.contains("docs/models.md#\(name)"))
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
