import Foundation
import Testing

@Suite("The README")
struct ReadmeTests {
  private let text: String

  init() throws {
    text = try String(contentsOfFile: "\(CommandRunner.root)/README.md", encoding: .utf8)
  }

  /// The lines of the blocks marked `sh`, without their remarks.
  private var commands: [String] {
    text.components(separatedBy: "```sh\n").dropFirst().flatMap { block in
      block.components(separatedBy: "```")[0].split(separator: "\n").map {
        $0.components(separatedBy: "  #")[0].trimmingCharacters(in: .whitespaces)
      }
    }
  }

  @Test("Its commands are ones that make knows, and the trainings in them resolve")
  func commandsResolve() throws {
    #expect(commands.contains("make train TASK=listops MODEL=linformer"))
    #expect(commands.contains("make test"))
    for command in commands {
      let planned = try CommandRunner.run("/bin/sh", ["-c", "\(command) --dry-run"])
      #expect(planned.status == 0, "\(command): \(planned.errors)")
      guard let last = planned.lines.last(where: { $0.hasPrefix(".build/release/lra train") })
      else { continue }
      let arguments = last.split(separator: " ").dropFirst().joined(separator: " ")
      #expect(try CommandRunner.lra("\(arguments) --explain").status == 0, "\(command)")
    }
  }

  @Test("The commands in its table exist")
  func tableOfCommands() throws {
    let named = text.split(separator: "\n").filter { $0.hasPrefix("| `lra ") }.compactMap {
      $0.dropFirst("| `lra ".count).split(whereSeparator: { " `".contains($0) }).first
    }
    #expect(named.count >= 7)
    for name in named {
      #expect(try CommandRunner.lra("\(name) --help").status == 0, "\(name)")
    }
  }

  @Test("Every folder and data script it shows is there")
  func tree() throws {
    let shown = text.split(separator: "\n").compactMap { line -> String? in
      let first = line.split(separator: " ").first.map(String.init) ?? ""
      return first.hasSuffix("/") && !first.contains("checkpoints") ? first : nil
    }
    #expect(shown.count >= 8)
    for folder in shown {
      #expect(
        FileManager.default.fileExists(atPath: "\(CommandRunner.root)/\(folder)"), "\(folder)")
    }
  }

  @Test("Its table of speed and memory is what was measured")
  func speed() throws {
    let file = "\(CommandRunner.root)/Tasks/Results/speed.jsonl"
    var measured: [String: [Int: [String: Any]]] = [:]
    for line in try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n") {
      let result = try jsonObject(String(line))
      guard result["processor"] as? String == "Intel(R) Xeon(R) Processor",
        result["forward"] as? Bool == false, let model = result["model"] as? String,
        let length = result["length"] as? Int
      else { continue }
      measured[model, default: [:]][length] = result
    }
    let table = try #require(text.components(separatedBy: "| model | steps/s at 1,024 |").last)
    let rows = table.split(separator: "\n").dropFirst(2).prefix { $0.hasPrefix("| ") }
      .map { $0.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) } }
    #expect(rows.count == 18)
    for row in rows {
      let own = try #require(measured[row[0]], "\(row[0])")
      let seconds = { (length: Int) in own[length]?["step_s"] as? Double }
      let yardstick = try #require(measured["transformer"]?[4096]?["step_s"] as? Double)
      let long = try #require(seconds(4096))
      #expect(row[1] == steps(seconds(1024)), "\(row[0])")
      #expect(row[2] == steps(long) + String(format: " (%.2f)", yardstick / long), "\(row[0])")
      #expect(row[4] == steps(seconds(16384)), "\(row[0])")
      #expect(row[6] == (own[4096]?["peak_rss_mib"] as? Int).map { "\($0)" }, "\(row[0])")
    }
  }

  private func steps(_ seconds: Double?) -> String {
    guard let seconds else { return "–" }
    return String(format: 1 / seconds < 10 ? "%.2f" : "%.1f", 1 / seconds)
  }
}
