// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Writes the commit of a folder as Swift source: `WriteCommit FOLDER FILE`, run by every build.
///
/// The file stays as it is where it says so already, so that nothing is compiled again.
@main
package enum WriteCommit {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 3 else { throw CocoaError(.fileReadUnknown) }
    let source = source(commit: commit(of: arguments[1]))
    if (try? String(contentsOfFile: arguments[2], encoding: .utf8)) != source {
      try source.write(toFile: arguments[2], atomically: true, encoding: .utf8)
    }
  }

  /// The module's source.
  package static func source(commit: String?) -> String {
    """
    /// The commit of the source that the program was built from, followed by `-dirty` where files
    /// that git knows had changed; nil where it was built outside of a clone.
    package let sourceCommit: String? = \(commit.map { "\"\($0)\"" } ?? "nil")

    """
  }

  /// What git says of a folder; nil where it is not itself a clone, or git is missing.
  package static func commit(of folder: String) -> String? {
    guard git(folder, "rev-parse", "--show-prefix") == "",
      let head = git(folder, "rev-parse", "--verify", "HEAD"),
      !head.isEmpty, head.allSatisfy(\.isHexDigit)
    else { return nil }
    let changes = git(folder, "status", "--porcelain", "--untracked-files=no")
    return changes == "" ? head : "\(head)-dirty"
  }

  /// What a command of git prints, nil where it fails.
  private static func git(_ folder: String, _ arguments: String...) -> String? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["git", "--no-optional-locks", "-C", folder] + arguments
    // Inside a hook these name the repository of the hook.
    process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("GIT_") }
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { return nil }
    return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
