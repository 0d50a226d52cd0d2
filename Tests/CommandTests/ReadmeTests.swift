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
}
