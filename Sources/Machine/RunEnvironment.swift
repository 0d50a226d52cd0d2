import Base
import Foundation

/// The machine and the program behind a run, written to its `env.json`.
public struct RunEnvironment: Sendable, Codable, Equatable {
  /// The machine's name.
  public var host: String
  /// The processor's name, as the kernel tells it.
  public var cpu: String
  /// Processor cores that this process may use.
  public var cores: Int
  /// Main memory in bytes.
  public var memoryBytes: Int
  /// The instruction set, such as `x86_64`.
  public var architecture: String
  /// Whether the program was built for this kind of processor (`-march`), which makes it fast.
  public var tuned: Bool
  /// The version of the Swift compiler.
  public var swift: String
  /// Threads that the run computes with.
  public var threads: Int
  /// The commit of the repository that the command was started in, if any.
  public var commit: String?
  /// The command with its arguments.
  public var command: [String]
  /// When it was started, in UTC, after ISO 8601.
  public var started: String

  /// Describes this process.
  ///
  /// - Parameter threads: threads that the run computes with.
  public init(threads: Int) {
    let process = ProcessInfo.processInfo
    host = process.hostName
    cpu = Self.cpuModel
    cores = usableCores
    memoryBytes = Int(clamping: process.physicalMemory)
    architecture = Self.architecture
    tuned = Self.tuned
    swift = Self.swiftVersion
    self.threads = threads
    commit = gitCommit(from: FileManager.default.currentDirectoryPath)
    command = process.arguments
    started = Date().formatted(.iso8601)
  }

  /// This machine's processor, as the system names it.
  public static let cpuModel = cpuModel(in: systemText("/proc/cpuinfo"))

  /// The first model name in the text of `/proc/cpuinfo`.
  package static func cpuModel(in text: String) -> String {
    for line in text.split(separator: "\n") where line.hasPrefix("model name") {
      let name = line.drop { $0 != ":" }.dropFirst()
      return name.trimmingCharacters(in: .whitespaces)
    }
    return "unknown"
  }

  private static var architecture: String {
    #if arch(x86_64)
      "x86_64"
    #elseif arch(arm64)
      "arm64"
    #else
      "other"
    #endif
  }

  private static var tuned: Bool {
    #if LRA_TUNED
      true
    #else
      false
    #endif
  }

  private static var swiftVersion: String {
    #if compiler(>=6.5)
      "6.5 or later"
    #elseif compiler(>=6.4)
      "6.4"
    #elseif compiler(>=6.3)
      "6.3"
    #else
      "6.2"
    #endif
  }
}

extension RunEnvironment: CheckedValue {
  /// Checks the machine's sizes.
  public func check() throws(FieldFault) {
    try FieldRange.count.check([
      "cores": cores, "memory_bytes": memoryBytes, "threads": threads,
    ])
  }
}

/// The commit that the repository around `folder` is at, read from its files: no `git` is run.
package func gitCommit(from folder: String) -> String? {
  var place = folder
  while !FileSystem.exists("\(place)/.git") {
    let parent = parentFolder(of: place)
    if parent == place { return nil }
    place = parent
  }
  var repository = "\(place)/.git"
  // In a linked work tree `.git` is a file that names the real place.
  let pointer = systemText(repository)
  if pointer.hasPrefix("gitdir: ") {
    repository = absolute(pointer.dropFirst(8), within: place)
  }
  let head = systemText("\(repository)/HEAD").trimmingCharacters(in: .whitespacesAndNewlines)
  guard head.hasPrefix("ref: ") else { return head.isEmpty ? nil : head }
  let reference = String(head.dropFirst(5))
  let common = systemText("\(repository)/commondir")
  let shared = common.isEmpty ? repository : absolute(common[...], within: repository)
  for root in [repository, shared] {
    let commit = systemText("\(root)/\(reference)")
    if !commit.isEmpty { return commit.trimmingCharacters(in: .whitespacesAndNewlines) }
  }
  let packed = systemText("\(shared)/packed-refs").split(separator: "\n")
  return packed.first { $0.hasSuffix(" \(reference)") }.map { String($0.prefix { $0 != " " }) }
}

private func absolute(_ path: Substring, within folder: String) -> String {
  let path = path.trimmingCharacters(in: .whitespacesAndNewlines)
  return path.hasPrefix("/") ? path : "\(folder)/\(path)"
}

/// A small text file's content, empty when it cannot be read.
package func systemText(_ path: String) -> String {
  (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
}
