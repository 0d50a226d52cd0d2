// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// The compiler only checks the types of what is written: to compile it all would take minutes.
@Suite("lra new model")
struct NewTests {
  private static let catalog = "Sources/Models/Catalog/VariantCatalog.swift"

  /// Runs `lra new model` in a folder.
  private func new(_ name: String, in folder: String) throws -> CommandResult {
    try CommandRunner.run(
      "/bin/sh",
      ["-c", "cd \"$0\" && exec \"$1\" new model \"$2\"", folder, CommandRunner.program, name])
  }

  /// A copy of what the command reads.
  private func withCheckout(_ body: (String) throws -> Void) throws {
    try withScratchFolder { folder in
      let copied = try CommandRunner.run(
        "/bin/sh",
        [
          "-c",
          "mkdir -p $0/data-scripts && cp Package.swift $0 && cp -r Sources $0"
            + " && cp -r data-scripts/reference $0/data-scripts", folder,
        ])
      #expect(copied.status == 0, "\(copied.errors)")
      try body(folder)
    }
  }

  private func read(_ path: String) throws -> String {
    try String(contentsOfFile: path, encoding: .utf8)
  }

  /// The files of a folder, apart from those that Python leaves.
  private func files(_ folder: String) throws -> Set<String> {
    Set(
      try FileManager.default.subpathsOfDirectory(atPath: folder).filter {
        !$0.contains("__pycache__")
      })
  }

  /// Holds a file against the layout that `make lint` asks for.
  private func expectLaidOut(_ path: String) throws {
    let lint = try CommandRunner.run(
      "/usr/bin/env",
      [
        "swift", "format", "lint", "--strict", "--configuration",
        "\(CommandRunner.root)/.swift-format", path,
      ])
    #expect(lint.status == 0, "\(lint.errors)")
  }

  /// Holds the types of a file against its module's sources and the modules that are built.
  private func expectTyped(_ path: String, module: String, sources: String) throws {
    let build = URL(fileURLWithPath: CommandRunner.program).deletingLastPathComponent().path
    let root = URL(fileURLWithPath: CommandRunner.root)
    // As the package manager names a package after its folder.
    let package = root.lastPathComponent.lowercased().map {
      $0.isASCII && ($0.isLetter || $0.isNumber) ? String($0) : "_"
    }
    let others = try files(sources).filter { $0.hasSuffix(".swift") }.map { "\(sources)/\($0)" }
    let maps = [
      "\(build)/CShims.build/module.modulemap", "\(root.path)/Sources/CZlib/module.modulemap",
    ]
    var arguments = ["swiftc", "-frontend", "-typecheck", "-primary-file", path]
    arguments += others.filter { $0 != path }
    arguments += ["-module-name", module, "-package-name", package.joined()]
    arguments += ["-swift-version", "6", "-I", "\(build)/Modules"]
    for map in maps { arguments += ["-Xcc", "-fmodule-map-file=\(map)"] }
    let check = try CommandRunner.run("/usr/bin/env", arguments)
    #expect(check.status == 0, "\(check.errors)")
  }

  @Test("writes a mixer, its reference and one line of the catalog")
  func written() throws {
    try withCheckout { folder in
      let before = try files(folder)
      let catalog = try read("\(folder)/\(Self.catalog)")
      let run = try new("my-2nd-attention", in: folder)
      #expect(run.status == 0, "\(run.errors)")
      let paths = [
        "Sources/Models/Variants/My2ndAttention.swift",
        "data-scripts/reference/variants/my_2nd_attention.py",
      ]
      #expect(try files(folder).subtracting(before) == Set(paths))
      let mixer = try read("\(folder)/\(paths[0])")
      #expect(mixer.hasPrefix("// SPDX-License-Identifier: Apache-2.0\n"))
      #expect(mixer.contains("\nstruct My2ndAttention: Mixer {\n"))
      #expect(mixer.contains("name: \"my-2nd-attention\""))
      try expectLaidOut("\(folder)/\(paths[0])")
      try expectTyped(
        "\(folder)/\(paths[0])", module: "Models", sources: "\(folder)/Sources/Models")
      let reference = try read("\(folder)/\(paths[1])")
      #expect(reference.hasPrefix("# SPDX-License-Identifier: Apache-2.0\n"))
      #expect(reference.contains("\"my-2nd-attention\": {"))
      let lines = try read("\(folder)/\(Self.catalog)").components(separatedBy: "\n")
      let added = try #require(lines.firstIndex(of: "    VariantEntry(My2ndAttention.self),"))
      #expect(lines[added - 1].hasPrefix("    VariantEntry(") && lines[added + 1] == "  ]")
      var others = lines
      others.remove(at: added)
      #expect(others.joined(separator: "\n") == catalog)
      for text in paths + ["make test", "fixtures.py Tests/ModelsTests/Fixtures my-2nd-attention"] {
        #expect(run.output.contains(text), "\(text)")
      }
    }
  }

  @Test("writes a task and one line of its catalog, and refuses a name that is taken")
  func task() throws {
    try withScratchFolder { folder in
      let copied = try CommandRunner.run("/bin/cp", ["-r", "Tasks", folder])
      #expect(copied.status == 0, "\(copied.errors)")
      let catalog = "\(folder)/Tasks/Core/TaskCatalog.swift"
      let before = try read(catalog)
      let new = { (name: String) in
        try CommandRunner.run(
          "/bin/sh",
          ["-c", "cd \"$0\" && exec \"$1\" new task \"$2\"", folder, CommandRunner.program, name])
      }
      let run = try new("my-task")
      #expect(run.status == 0 && run.output.contains("make train TASK=my-task"), "\(run.errors)")
      let task = try read("\(folder)/Tasks/MyTask/MyTask.swift")
      #expect(task.contains("package struct MyTask: ArenaTask {"))
      try expectLaidOut("\(folder)/Tasks/MyTask/MyTask.swift")
      try expectTyped(
        "\(folder)/Tasks/MyTask/MyTask.swift", module: "Tasks", sources: "\(folder)/Tasks")
      #expect(task.contains("fnv1a(\"my-task.\\(split.rawValue)\")"))
      #expect(try read(catalog).replacing("    .myTask,\n", with: "") == before)
      for name in ["my-task", "listops", "My-Task"] {
        let refused = try new(name)
        #expect(refused.status == 64, "\(name)")
      }
    }
  }

  @Test("refuses names that are taken, by a model or by a type, and writes nothing")
  func taken() throws {
    try withCheckout { folder in
      let first = try new("twice", in: folder)
      #expect(first.status == 0)
      let before = try files(folder)
      let catalog = try read("\(folder)/\(Self.catalog)")
      for (name, reason) in [
        ("linformer", "there is a model linformer"), ("twice", "Variants/Twice.swift"),
        ("layer-norm", "the type LayerNorm is declared already"), ("tensor", "Tensor.swift"),
      ] {
        let run = try new(name, in: folder)
        #expect(run.status == 64 && run.errors.contains(reason), "\(name): \(run.errors)")
      }
      let after = (try files(folder), try read("\(folder)/\(Self.catalog)"))
      #expect(after.0 == before && after.1 == catalog)
    }
  }

  @Test(
    "refuses what is no name",
    arguments: ["", "My-Model", "my_model", "2nd", "my--model", "-x", "x-", "a b", "../x", "ä"])
  func noName(name: String) throws {
    try withScratchFolder { folder in
      // An argument that begins with a hyphen is a flag to the parser, which refuses it too.
      let run = try new(name, in: folder)
      let after = try files(folder)
      #expect(run.status == 64 && after.isEmpty)
    }
  }

  @Test("refuses a folder that is not a checkout")
  func noCheckout() throws {
    try withScratchFolder { folder in
      let run = try new("my-model", in: folder)
      let after = try files(folder)
      #expect(run.status == 66 && run.errors.contains("not a checkout") && after.isEmpty)
    }
  }
}
