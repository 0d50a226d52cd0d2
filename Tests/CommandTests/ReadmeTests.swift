// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("The README and the documents")
struct ReadmeTests {
  /// Every document's text by its path.
  private let documents: [String: String]

  init() throws {
    let folder = try FileManager.default.contentsOfDirectory(atPath: "\(CommandRunner.root)/docs")
    let paths =
      ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
      + folder.filter { $0.hasSuffix(".md") }.map { "docs/\($0)" }
    documents = try Dictionary(
      uniqueKeysWithValues: paths.map {
        ($0, try String(contentsOfFile: "\(CommandRunner.root)/\($0)", encoding: .utf8))
      })
  }

  private func text(_ path: String) throws -> String { try #require(documents[path]) }

  /// The lines of the blocks marked `sh`, without their remarks.
  private var commands: [String] {
    documents.values.flatMap { $0.components(separatedBy: "```sh\n").dropFirst() }.flatMap {
      block in
      block.components(separatedBy: "```")[0].split(separator: "\n").map {
        $0.components(separatedBy: "  #")[0].trimmingCharacters(in: .whitespaces)
      }
    }
  }

  @Test("Its commands are ones that make knows, and the trainings in them resolve")
  func commandsResolve() throws {
    #expect(commands.contains("make train TASK=listops MODEL=linformer PRESET=quick"))
    #expect(commands.contains("make test"))
    for command in commands where command.hasPrefix("make ") {
      // The tests may run under a make, whose variables come down by the environment too.
      let planned = try CommandRunner.run(
        "/bin/sh", ["-c", "unset MAKEFLAGS MAKEOVERRIDES ARGS; \(command) --dry-run"])
      #expect(planned.status == 0, "\(command): \(planned.errors)")
      let program = ".build/release/lra"
      guard let last = planned.lines.last(where: { $0.hasPrefix("\(program) train") })
      else { continue }
      let explained = "'\(CommandRunner.program)' \(last.dropFirst(program.count)) --explain"
      #expect(try CommandRunner.run("/bin/sh", ["-c", explained]).status == 0, "\(command)")
    }
  }

  @Test("The README is short")
  func length() throws {
    #expect(
      try text("README.md").split(separator: "\n", omittingEmptySubsequences: false).count <= 150)
  }

  @Test("The commands in the table exist")
  func tableOfCommands() throws {
    let named = try text("docs/commands.md").split(separator: "\n").filter {
      $0.hasPrefix("| `lra ")
    }.compactMap {
      $0.dropFirst("| `lra ".count).split(whereSeparator: { " `".contains($0) }).first
    }
    #expect(named.count >= 7)
    for name in named {
      #expect(try CommandRunner.lra("\(name) --help").status == 0, "\(name)")
    }
  }

  @Test("Every file that a document links is there, and every heading")
  func links() throws {
    for (path, text) in documents {
      for match in text.matches(of: /\]\(([^)#:]*)(#[^)]*)?\)/) {
        let folder = (path as NSString).deletingLastPathComponent
        let target = String(match.output.1)
        let file = target.isEmpty ? path : NSString.path(withComponents: [folder, target])
        let full = NSString(string: "\(CommandRunner.root)/\(file)").standardizingPath
        #expect(FileManager.default.fileExists(atPath: full), "\(path): \(target)")
        if let anchor = match.output.2, full.hasSuffix(".md") {
          let linked = try String(contentsOfFile: full, encoding: .utf8)
          #expect(anchors(linked).contains(String(anchor)), "\(path): \(target)\(anchor)")
        }
      }
    }
  }

  /// The anchors that a reader on the web finds: headings in lower case, blanks as hyphens.
  private func anchors(_ text: String) -> Set<String> {
    let headings = text.split(separator: "\n").filter { $0.hasPrefix("#") }
    return Set(
      headings.map { line in
        let title = line.drop { $0 == "#" }.dropFirst().lowercased()
        return "#"
          + title.filter { $0.isLetter || $0.isNumber || "-_ ".contains($0) }
          .replacingOccurrences(of: " ", with: "-")
      })
  }

  @Test("What the documents of the code name is in the code")
  func identifiers() throws {
    var words: Set<Substring> = []
    for folder in ["Sources", "Tasks", "Tests/AutodiffTests", "Tests/Support"] {
      let root = "\(CommandRunner.root)/\(folder)"
      let names = FileManager.default.enumerator(atPath: root)?.allObjects as? [String] ?? []
      for name in names where name.hasSuffix(".swift") {
        let text = try String(contentsOfFile: "\(root)/\(name)", encoding: .utf8)
        words.formUnion(text.split { !$0.isLetter && !$0.isNumber && $0 != "_" })
      }
    }
    for path in ["docs/architecture.md", "docs/kernels.md"] {
      for match in try text(path).matches(of: /`([A-Za-z][A-Za-z0-9]+)`/) {
        let name = match.output.1
        #expect(words.contains(name), "\(path): \(name)")
      }
    }
  }

  @Test("Every folder and data script that the architecture shows is there")
  func tree() throws {
    let shown = try text("docs/architecture.md").split(separator: "\n").compactMap {
      line -> String? in
      let first = line.split(separator: " ").first.map(String.init) ?? ""
      return first.hasSuffix("/") && !first.contains("checkpoints") ? first : nil
    }
    #expect(shown.count >= 8)
    for folder in shown {
      #expect(
        FileManager.default.fileExists(atPath: "\(CommandRunner.root)/\(folder)"), "\(folder)")
    }
  }

  @Test("The table of speed and memory is what was measured")
  func speed() throws {
    let file = "\(CommandRunner.root)/docs/results/speed.jsonl"
    var measured: [String: [Int: [String: Any]]] = [:]
    for line in try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n") {
      let result = try jsonObject(String(line))
      guard result["processor"] as? String == "Intel(R) Xeon(R) Processor",
        result["forward"] as? Bool == false, let model = result["model"] as? String,
        let length = result["length"] as? Int
      else { continue }
      measured[model, default: [:]][length] = result
    }
    let table = try #require(
      text("docs/speed.md").components(separatedBy: "| model | steps/s at 1,024 |").last)
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
