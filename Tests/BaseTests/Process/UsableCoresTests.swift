// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Testing

@Suite("Usable cores and threads")
struct UsableCoresTests {
  /// A root folder with the control groups of a process.
  private func cores(
    _ files: [String: String], affinity: Int = 16, slurm: String? = nil
  ) throws -> Int {
    try withScratchFolder { root in
      for (path, text) in files {
        try createFolder(parentFolder(of: "\(root)/\(path)"))
        try writeAtomically(Array(text.utf8), to: "\(root)/\(path)")
      }
      return UsableCores(affinity: affinity, root: root, slurm: slurm).count
    }
  }

  @Test("Without control groups the affinity mask counts, and what SLURM grants")
  func affinity() throws {
    #expect(try cores([:]) == 16)
    #expect(try cores([:], slurm: "4") == 4)
    #expect(try cores([:], slurm: "64") == 16)
    #expect(try cores([:], slurm: "0") == 16)
    #expect(try cores([:], slurm: "all") == 16)
    #expect(try cores([:], affinity: 0) == 1)
  }

  @Test(
    "The tightest quota of version 2 counts, rounded up",
    arguments: [
      ("max 100000", "max 100000", 16), ("200000 100000", "max 100000", 2),
      ("250000 100000", "600000 100000", 3), ("400000 100000", "150000 100000", 2),
      ("1000 100000", "max 100000", 1), ("nonsense", "", 16), ("0 0", "-1 0", 16),
    ])
  func version2(inner: String, outer: String, expected: Int) throws {
    let files = [
      "proc/self/cgroup": "0::/jobs/one\n", "sys/fs/cgroup/jobs/one/cpu.max": "\(inner)\n",
      "sys/fs/cgroup/jobs/cpu.max": "\(outer)\n",
    ]
    #expect(try cores(files) == expected)
  }

  @Test("In a container the path is the host's, and the quota stands in the outermost folder")
  func container() throws {
    let files = ["proc/self/cgroup": "0::/../../x\n", "sys/fs/cgroup/cpu.max": "300000 100000\n"]
    #expect(try cores(files) == 3)
  }

  @Test("The quota of version 1", arguments: ["cpu", "cpu,cpuacct"])
  func version1(mount: String) throws {
    let folder = "sys/fs/cgroup/\(mount)/docker/7"
    let files = [
      "proc/self/cgroup": "5:memory:/docker/7\n4:cpu,cpuacct:/docker/7\n",
      "\(folder)/cpu.cfs_quota_us": "150000\n", "\(folder)/cpu.cfs_period_us": "50000\n",
      "sys/fs/cgroup/\(mount)/cpu.cfs_quota_us": "-1\n",
      "sys/fs/cgroup/\(mount)/cpu.cfs_period_us": "100000\n",
    ]
    #expect(try cores(files) == 3)
  }

  @Test("This process may use at least one core, and no more than there are")
  func here() {
    #expect((1...ProcessInfo.processInfo.processorCount).contains(usableCores))
  }

  @Test(
    "What is no number of threads is refused",
    arguments: ["zero", "0", "-1", "1025", "9223372036854775808", "2.5", " 2"])
  func refused(text: String) {
    let error = userError { _ = try ThreadCount.fromEnvironment(["LRA_THREADS": text]) }
    #expect(error?.kind == .usage)
    #expect(error?.problem.contains("LRA_THREADS: \"\(text)\"") == true)
  }

  @Test("A number of threads is taken, and nothing asks for nothing")
  func taken() throws {
    #expect(try ThreadCount.fromEnvironment(["LRA_THREADS": "7"]) == 7)
    #expect(try ThreadCount.fromEnvironment(["LRA_THREADS": ""]) == nil)
    #expect(try ThreadCount.fromEnvironment([:]) == nil)
    #expect(try ThreadCount.checked(1024, "--threads") == 1024)
  }
}
