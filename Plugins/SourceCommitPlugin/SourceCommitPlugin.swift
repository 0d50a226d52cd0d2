// SPDX-License-Identifier: Apache-2.0

import Foundation
import PackagePlugin

/// Writes the commit of the source into a module, again whenever a source or the commit changes.
@main
struct SourceCommitPlugin: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: Target) throws -> [Command] {
    let result = context.pluginWorkDirectoryURL.appending(path: "Commit.swift")
    return [
      .buildCommand(
        displayName: "Commit of the source",
        executable: try context.tool(named: "WriteCommit").url,
        arguments: [
          context.package.directoryURL.path(percentEncoded: false),
          result.path(percentEncoded: false),
        ],
        inputFiles: inputs(context.package), outputFiles: [result])
    ]
  }

  /// All sources, and what git writes with every commit and checkout.
  private func inputs(_ package: Package) -> [URL] {
    let repository = repository(package.directoryURL)
    let written = ["HEAD", "logs/HEAD"].map { repository.appending(path: $0) }.filter {
      FileManager.default.fileExists(atPath: $0.path(percentEncoded: false))
    }
    let sources = package.targets.compactMap { $0 as? any SourceModuleTarget }.flatMap {
      $0.sourceFiles.map(\.url)
    }
    return written + [package.directoryURL.appending(path: "Package.swift")] + sources
  }

  /// The folder `.git`, or what it names in a linked work tree.
  private func repository(_ package: URL) -> URL {
    let place = package.appending(path: ".git")
    let text = (try? String(contentsOf: place, encoding: .utf8)) ?? ""
    guard text.hasPrefix("gitdir: ") else { return place }
    let path = text.dropFirst("gitdir: ".count).trimmingCharacters(in: .whitespacesAndNewlines)
    return URL(fileURLWithPath: path, relativeTo: package)
  }
}
