// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation
import SourceCommit

/// The machine and the program behind a run, written to its `env.json`.
package struct RunEnvironment: Sendable, Codable, Equatable {
  /// The machine's name.
  package var host: String
  /// The processor's name, as the kernel tells it.
  package var cpu: String
  /// Processor cores that this process may use.
  package var cores: Int
  /// Main memory in bytes.
  package var memoryBytes: Int
  /// The instruction set, such as `x86_64`.
  package var architecture: String
  /// Whether the program was built for this kind of processor (`-march`), which makes it fast.
  package var tuned: Bool
  /// The instructions that products are computed with; nil of runs before it was noted.
  package var kernel: String?
  /// The version of the Swift compiler.
  package var swift: String
  /// Threads that the run computes with; of the leader, where several ranks train together.
  package var threads: Int
  /// Ranks that train together; nil for a process alone.
  package var ranks: Int?
  /// The commit of the source that the program was built from, with `-dirty` where it had changes.
  package var commit: String?
  /// The command with its arguments.
  package var command: [String]
  /// When it was started, in UTC, after ISO 8601.
  package var started: String

  /// Describes this process.
  ///
  /// - Parameters:
  ///   - threads: threads that the run computes with.
  ///   - precision: of the operands of its products.
  ///   - ranks: those who train together.
  package init(threads: Int, precision: Precision = .fp32, ranks: Int = 1) {
    let process = ProcessInfo.processInfo
    host = process.hostName
    cpu = Self.cpuModel
    cores = usableCores
    memoryBytes = Int(clamping: process.physicalMemory)
    architecture = Self.architecture
    tuned = Self.tuned
    kernel = ProductKernel.used(for: precision).rawValue
    swift = Self.swiftVersion
    self.threads = threads
    self.ranks = ranks > 1 ? ranks : nil
    commit = sourceCommit
    command = process.arguments
    started = Date().formatted(.iso8601)
  }

  /// This machine's processor, as the system names it.
  package static let cpuModel = cpuModel(in: systemText("/proc/cpuinfo"))

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
  package func check() throws(FieldFault) {
    try FieldRange.count.check([
      "cores": cores, "memory_bytes": memoryBytes, "threads": threads,
    ])
  }
}

/// A small text file's content, empty when it cannot be read.
package func systemText(_ path: String) -> String {
  (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
}
