// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Tasks

/// The file of a task to start from: which of two tokens is more frequent.
struct TaskTemplate {
  static let catalogPath = "Tasks/Core/TaskCatalog.swift"

  private let name: ScaffoldName

  /// - Throws: `UserError` for a name that is not lower-case words with hyphens.
  init(_ name: String) throws { self.name = try ScaffoldName(name, of: "task") }

  var swiftPath: String { "Tasks/\(name.type)/\(name.type).swift" }

  /// Writes the task and its line in the catalog, once nothing speaks against it.
  ///
  /// - Parameter root: of a checkout.
  /// - Throws: `UserError` if the folder is none, the name is taken, or a file cannot be written.
  func add(to root: String) throws {
    let (catalog, file) = ("\(root)/\(Self.catalogPath)", "\(root)/\(swiftPath)")
    guard FileSystem.exists(catalog) else {
      throw UserError(
        .missingInput, "this folder is not a checkout: there is no \(Self.catalogPath)",
        remedy: "run the command in the root of a clone of the repository")
    }
    let isTaken = TaskCatalog.all.contains { $0.name == name.name }
    guard !isTaken, !FileSystem.exists(parentFolder(of: file)) else {
      throw UserError(
        .usage, "there is a task \(name.name), or a folder \(parentFolder(of: swiftPath)), already",
        remedy: "choose another name")
    }
    var lines = String(decoding: try readFile(catalog), as: UTF8.self)
      .components(separatedBy: "\n")
    guard let start = lines.firstIndex(where: { $0.hasSuffix("let all: [TaskEntry] = [") }),
      let end = lines[start...].firstIndex(of: "  ]")
    else {
      throw UserError(
        .badData, "\(Self.catalogPath) has no list of tasks to add to",
        remedy: "restore it: git checkout \(Self.catalogPath)")
    }
    lines.insert("    .\(name.member),", at: end)
    try createFolder(parentFolder(of: file))
    try writeAtomically(Array(swift.utf8), to: file)
    try writeAtomically(Array(lines.joined(separator: "\n").utf8), to: catalog)
  }

  /// The task, its presets and its entry.
  var swift: String {
    """
    // SPDX-License-Identifier: Apache-2.0

    import Base

    /// Which of two tokens is more frequent, in sequences of odd length: a task to start from.
    ///
    /// Source: where the data are described.
    /// Differs: nothing to differ from.
    package struct \(name.type): ArenaTask {
      /// The name on the command line and of the data folder.
      package static let name = "\(name.name)"
      /// The name as people write it.
      package static let title = "\(name.type)"
      /// Nothing is fetched.
      package static let dataCommand = "lra data make \(name.name)"

      /// Token 1 or token 2.
      package let classes = 2
      /// Padding and two tokens.
      package let vocabulary = 3
      /// The greatest number of tokens.
      package let length: Int
      private let options: TaskOptions

      /// - Throws: `UserError` of kind `usage` for a length or count that is not positive.
      package init(_ options: TaskOptions) throws {
        self.options = options
        length = options.length ?? 101
        try options.validate(usualLength: 101)
      }

      /// Nothing to prepare: examples are drawn when a split is asked for.
      package func prepare(report: (String) -> Void) throws {}

      /// Example e of a split is a function of the seed, the split and e.
      package func examples(_ split: Split) throws -> any ExampleSource {
        var examples = PackedExamples(classes: classes)
        for example in 0..<(options.count(split) ?? 2000) {
          var random = RandomStream(
            seed: options.seed,
            stream: fnv1a("\(name.name).\\(split.rawValue)") &+ UInt64(example))
          let count = random.integer(below: (length + 1) / 2) * 2 + 1
          let tokens = (0..<count).map { _ in UInt8(1 + random.integer(below: 2)) }
          let twos = tokens.count { $0 == 2 }
          examples.append(tokens[...], label: twos > count / 2 ? 1 : 0)
        }
        return examples
      }

      /// The seed.
      package func provenance() throws -> String { "generated with seed \\(options.seed)" }

      /// Nothing is read from files.
      package func sourceFolder() throws -> String? { nil }

      /// The numbers of the tokens.
      package func describe(_ tokens: [Int32]) -> String {
        tokens.map { "\\($0)" }.joined(separator: " ")
      }
    }

    extension TaskEntry {
      /// The presets are those of ListOps with shorter sequences.
      static let \(name.member) = TaskEntry(
        \(name.type).self, summary: "tell which of two tokens is more frequent",
        presets: ListOpsPresets.all.map { preset in
          Preset(
            name: preset.name, summary: preset.summary, comparable: false,
            values: Preset.replacing(
              preset.values, with: [.init("task.length", 101, source: "ours: short")]),
            overrides: preset.overrides)
        }, published: [])
    }

    """
  }
}
