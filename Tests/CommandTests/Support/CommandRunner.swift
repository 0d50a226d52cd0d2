// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// What a command wrote and ended with.
struct CommandResult {
  let status: Int32
  let output: String
  let errors: String

  /// The lines of the standard output.
  var lines: [String] { output.split(separator: "\n").map(String.init) }

  /// The standard output as one JSON object.
  func object() throws -> [String: Any] { try jsonObject(output) }

  /// The standard output as one JSON object a line.
  func objects() throws -> [[String: Any]] { try lines.map(jsonObject) }
}

/// Runs commands as users do, in processes of their own.
enum CommandRunner {
  /// The root of the repository.
  static let root = (0..<4).reduce(URL(fileURLWithPath: #filePath)) { path, _ in
    path.deletingLastPathComponent()
  }.path

  /// The program, which lies beside the test bundle.
  static let program: String = {
    let folders = [CommandLine.arguments[0], Bundle.main.executablePath ?? ""].map {
      URL(fileURLWithPath: $0).deletingLastPathComponent().path
    }
    let candidates = (folders + ["\(root)/.build/release"]).map { "\($0)/lra" }
    return candidates.first { FileManager.default.isExecutableFile(atPath: $0) } ?? "lra"
  }()

  /// Runs `lra` with arguments separated by spaces.
  static func lra(_ arguments: String, environment: [String: String] = [:]) throws -> CommandResult
  {
    try run(program, arguments.split(separator: " ").map(String.init), environment: environment)
  }

  /// Runs a program in the repository's root; `environment` is added to the present one.
  static func run(
    _ program: String, _ arguments: [String], environment: [String: String] = [:]
  ) throws -> CommandResult {
    try withScratchFolder { folder in
      // Files hold any amount, where a pipe would stop the child when it is full.
      let paths = ["\(folder)/out", "\(folder)/err"]
      let handles = try paths.map { path in
        try Data().write(to: URL(fileURLWithPath: path))
        return try #require(FileHandle(forWritingAtPath: path))
      }
      let process = Process()
      process.executableURL = URL(fileURLWithPath: program)
      process.arguments = arguments
      process.currentDirectoryURL = URL(fileURLWithPath: root)
      process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
      (process.standardOutput, process.standardError) = (handles[0], handles[1])
      process.standardInput = FileHandle.nullDevice
      try process.run()
      process.waitUntilExit()
      return CommandResult(
        status: process.terminationStatus,
        output: try String(contentsOfFile: paths[0], encoding: .utf8),
        errors: try String(contentsOfFile: paths[1], encoding: .utf8))
    }
  }
}

/// Runs `body` with the path of a fresh folder that is removed afterwards.
func withScratchFolder<T>(_ body: (String) throws -> T) throws -> T {
  let path = FileManager.default.temporaryDirectory.path + "/lra-command-\(UUID().uuidString)"
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try body(path)
}

/// A text as a JSON object.
func jsonObject(_ text: String) throws -> [String: Any] {
  try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
}
