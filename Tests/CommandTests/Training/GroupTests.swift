// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Where Open MPI's launcher is, if it is installed.
private let mpirun = ["/usr/bin/mpirun", "/usr/local/bin/mpirun"].first {
  FileManager.default.isExecutableFile(atPath: $0)
}

@Suite(
  "Training by several ranks, which needs mpirun (apt-get install openmpi-bin)",
  .enabled(if: mpirun != nil))
struct GroupTests {
  /// Several ranks on one host, whoever the user is and however many cores there are.
  private static let environment = [
    "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_btl": "self,vader",
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none", "OMPI_MCA_oob_tcp_if_include": "lo",
    "OMPI_MCA_hwloc_base_binding_policy": "none",
  ]

  private func launch(
    _ ranks: Int, _ arguments: [String], environment: [String: String] = [:]
  ) throws -> CommandResult {
    try CommandRunner.run(
      try #require(mpirun), ["-np", "\(ranks)", CommandRunner.program] + arguments,
      environment: Self.environment.merging(environment) { $1 })
  }

  private func train(
    _ ranks: Int, _ training: TinyTraining, _ name: String, _ more: [String] = []
  ) throws -> CommandResult {
    try launch(
      ranks,
      training.arguments + ["--output", training.path(name), "--threads", "1", "--steps", "20"]
        + more)
  }

  @Test("Any number of ranks, threads and parts ends with the same bytes and answers")
  func sameBytes() throws {
    try withScratchFolder { folder in
      let training = TinyTraining(folder: folder)
      let sharded = ["--steps", "20", "--set", "train.shards=8"]
      #expect(try training.run("alone", sharded).status == 0)
      let parts = sharded + ["--set", "train.accumulation=4"]
      #expect(try training.run("parts", parts).status == 0)
      let expected = try training.results("alone")
      #expect(try training.results("parts") == expected)
      for ranks in [1, 2, 8] {
        let result = try train(ranks, training, "np\(ranks)")
        #expect(result.status == 0, "\(result.errors)")
        #expect(try training.results("np\(ranks)") == expected, "\(ranks) ranks")
        let answers = ["alone", "np\(ranks)"].map {
          FileManager.default.contents(atPath: training.path("\($0)/predictions-test-best.jsonl"))
        }
        #expect(answers[0] != nil && answers[0] == answers[1])
      }
    }
  }

  @Test("A rank that is killed ends all, and another number of ranks goes on to the same bytes")
  func killed() throws {
    try withScratchFolder { folder in
      let training = TinyTraining(folder: folder)
      #expect(try training.run("whole", ["--set", "train.shards=8"]).status == 0)
      let process = Process()
      process.executableURL = URL(fileURLWithPath: try #require(mpirun))
      process.arguments =
        ["-np", "2", CommandRunner.program] + training.arguments
        + ["--output", training.path("killed"), "--threads", "1"]
      process.environment = ProcessInfo.processInfo.environment.merging(Self.environment) { $1 }
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      try training.wait("killed", forStep: 12, process)
      let follower = try #require(child(of: process.processIdentifier, rank: 1))
      kill(follower, SIGKILL)
      process.waitUntilExit()
      #expect(process.terminationStatus != 0)
      let resumed = try launch(
        4, ["train", "--resume", training.path("killed"), "--data", training.path("data")])
      #expect(resumed.status == 0, "\(resumed.errors)")
      #expect(try training.results("killed") == training.results("whole"))
    }
  }

  /// The process of a rank.
  private func child(of launcher: Int32, rank: Int) -> Int32? {
    let wanted = Data("OMPI_COMM_WORLD_RANK=\(rank)\0".utf8)
    let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return all.compactMap(Int32.init).first { process in
      let status = FileManager.default.contents(atPath: "/proc/\(process)/status") ?? Data()
      guard String(decoding: status, as: UTF8.self).contains("PPid:\t\(launcher)\n") else {
        return false
      }
      let environment = FileManager.default.contents(atPath: "/proc/\(process)/environ")
      return environment?.range(of: wanted) != nil
    }
  }

  @Test("lra doctor of several ranks tells how long they take to add up, once")
  func exchange() throws {
    let result = try launch(2, ["doctor", "--json"])
    #expect(result.status == 0, "\(result.errors)")
    let object = try result.object()
    #expect(object["ranks"] as? Int == 2 && object["hosts"] as? Int == 1)
    let sums = try #require(object["sums"] as? [[String: Any]])
    #expect(sums.count == 4 && sums.allSatisfy { ($0["seconds"] as? Double ?? 0) > 0 })
    #expect(try launch(3, ["doctor"]).status == 64)
  }

  @Test("What ranks cannot do is told once, with its status")
  func refusals() throws {
    try withScratchFolder { folder in
      let training = TinyTraining(folder: folder)
      let three = try train(3, training, "three")
      #expect(three.status == 64)
      #expect(three.errors.contains("their number must be a power of two"))
      let shards = try train(4, training, "two", ["--set", "train.shards=2"])
      #expect(shards.status == 64)
      #expect(shards.errors.contains("4 ranks cannot share the 2 shards of train.shards"))
    }
  }
}

@Suite("Training by several ranks without Open MPI")
struct GroupWithoutLibraryTests {
  @Test("A launcher without its library says what to install")
  func missing() throws {
    guard !FileManager.default.fileExists(atPath: "/usr/lib/x86_64-linux-gnu/libmpi.so.40") else {
      return
    }
    let result = try CommandRunner.lra(
      "train --task listops --model linear", environment: ["PMIX_RANK": "0"])
    #expect(result.status == 69)
    #expect(result.errors.contains("apt-get install openmpi-bin"))
  }
}
