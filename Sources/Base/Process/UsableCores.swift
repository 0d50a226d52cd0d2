// SPDX-License-Identifier: Apache-2.0

import CShims
import Foundation

/// The processor cores that this process may use: those of its affinity mask, at most what control
/// groups grant in CPU time, and at most what SLURM has given the task.
package let usableCores = UsableCores(
  affinity: UsableCores.affinity, root: "/",
  slurm: ProcessInfo.processInfo.environment["SLURM_CPUS_PER_TASK"]
).count

/// How many cores a process may use, from what the system says of it.
package struct UsableCores {
  /// The least of all limits, at least 1.
  package let count: Int

  /// - Parameters:
  ///   - affinity: cores that the scheduler may run the process on.
  ///   - root: the folder that holds `proc` and `sys`.
  ///   - slurm: the value of `SLURM_CPUS_PER_TASK`.
  package init(affinity: Int, root: String, slurm: String?) {
    let granted = slurm.flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    let quota = Self.quota(root: root).map { Int(min($0, 1e6).rounded(.up)) }
    count = max(1, min(affinity, granted ?? .max, quota ?? .max))
  }

  /// Cores in the affinity mask.
  static var affinity: Int {
    let cores = Int(lra_affinity_cores())
    return cores > 0 ? cores : ProcessInfo.processInfo.activeProcessorCount
  }

  /// Cores' worth of time that the control groups of this process grant, version 2 or 1.
  private static func quota(root: String) -> Double? {
    var limits: [Double] = []
    for line in text("\(root)/proc/self/cgroup").split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      let controllers = fields[1].split(separator: ",")
      let mounts =
        controllers.isEmpty ? [""] : controllers.contains("cpu") ? ["/cpu", "/\(fields[1])"] : []
      for mount in mounts {
        limits += folders("\(root)/sys/fs/cgroup\(mount)", String(fields[2])).compactMap(limit)
      }
    }
    return limits.min()
  }

  /// A group's folder and those of the groups around it.
  ///
  /// Within a container the path may be that of the host, and only the outermost exists.
  private static func folders(_ mount: String, _ path: String) -> [String] {
    var parts = path.split(separator: "/")
    var all = [mount]
    while !parts.isEmpty {
      all.append("\(mount)/\(parts.joined(separator: "/"))")
      parts.removeLast()
    }
    return all
  }

  /// The quota of one group over its period.
  private static func limit(_ folder: String) -> Double? {
    var numbers = text("\(folder)/cpu.max").split(whereSeparator: \.isWhitespace).map(String.init)
    if numbers.isEmpty {
      numbers = ["quota", "period"].map { name in
        text("\(folder)/cpu.cfs_\(name)_us").trimmingCharacters(in: .whitespacesAndNewlines)
      }
    }
    // Without a limit version 2 says max, version 1 says -1.
    guard numbers.count == 2, let quota = Double(numbers[0]), let period = Double(numbers[1]),
      quota > 0, period > 0
    else { return nil }
    return quota / period
  }

  private static func text(_ path: String) -> String {
    (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
  }
}
