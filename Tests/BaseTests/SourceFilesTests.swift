// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("The source files")
struct SourceFilesTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path

  /// Every file of a compiler or an interpreter.
  private func sourceFiles() throws -> [String] {
    let folders = [".ci", "Plugins", "Sources", "Tasks", "Tests", "data-scripts"]
    let files = try folders.flatMap { folder in
      try FileManager.default.subpathsOfDirectory(atPath: "\(Self.root)/\(folder)").map {
        "\(folder)/\($0)"
      }
    }
    return ["Makefile", "Package.swift"]
      + files.filter { path in
        let suffix = (path as NSString).pathExtension
        let isScript = suffix.isEmpty && (path.hasPrefix(".ci/") || path.hasPrefix("data-scripts/"))
        return isScript || ["swift", "c", "h", "modulemap", "py", "sh"].contains(suffix)
      }
  }

  @Test("Each names its licence in its first line, or below the line that starts a program")
  func licence() throws {
    let wanted = [
      "// SPDX-License-Identifier: Apache-2.0", "# SPDX-License-Identifier: Apache-2.0",
    ]
    let files = try sourceFiles()
    #expect(files.count > 600)
    for path in files {
      guard let text = try? String(contentsOfFile: "\(Self.root)/\(path)", encoding: .utf8) else {
        continue  // A folder.
      }
      let lines = text.split(separator: "\n", maxSplits: 2, omittingEmptySubsequences: false)
      let starts = ["#!", "// swift-tools-version"].contains { text.hasPrefix($0) }
      #expect(
        lines.dropFirst(starts ? 1 : 0).first.map { wanted.contains(String($0)) } ?? false,
        "\(path): its first line is to be SPDX-License-Identifier: Apache-2.0, as a comment")
    }
  }
}
