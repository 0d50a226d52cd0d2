// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("lra leaderboard --emit slurm")
struct SlurmTests {
  private func emit(_ folder: String, _ more: String = "") throws -> CommandResult {
    try CommandRunner.lra(
      "leaderboard --tasks listops --models linformer,s4d --seeds 0,1 --data \(folder)/data "
        + "--emit slurm \(folder)/grid " + more)
  }

  private func text(_ path: String) throws -> String {
    try String(contentsOfFile: path, encoding: .utf8)
  }

  @Test("An element for each training, with time, threads and a signal before the end")
  func files() throws {
    try withScratchFolder { folder in
      let result = try emit(folder, "--time 90m --threads 2")
      #expect(result.status == 0, "\(result.errors)")
      let lines = try text("\(folder)/grid/trainings").split(separator: "\n")
      #expect(lines.count == 4)
      #expect(
        lines[3]
          == "listops-s4d-small-s1\t--task listops --model s4d --preset small --seed 1")
      let script = try text("\(folder)/grid/array.sh")
      for line in [
        "#SBATCH --time=90", "#SBATCH --cpus-per-task=2", "#SBATCH --signal=B:USR1@120",
        "#SBATCH --requeue",
      ] { #expect(script.contains("\(line)\n"), "\(line)") }
      #expect(try text("\(folder)/grid/submit.sh").contains("sbatch --array=0-3 array.sh 0\n"))
    }
  }

  @Test("More trainings than an array takes become several arrays")
  func chunks() throws {
    try withScratchFolder { folder in
      let seeds = (0..<1100).map(String.init).joined(separator: ",")
      let result = try CommandRunner.lra(
        "leaderboard --tasks listops --models fnet --seeds \(seeds) --emit slurm \(folder)/grid")
      #expect(result.status == 0, "\(result.errors)")
      let submission = try text("\(folder)/grid/submit.sh")
      #expect(submission.contains("sbatch --array=0-999 array.sh 0\n"))
      #expect(submission.contains("sbatch --array=0-99 array.sh 1000\n"))
    }
  }

  /// Starts a program that gets signals: Foundation's own children have them blocked.
  private func spawn(_ arguments: [String], _ environment: [String]) throws -> pid_t {
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for descriptor in [STDOUT_FILENO, STDERR_FILENO] {
      posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0)
    }
    var texts = [arguments, environment].map { $0.map { strdup($0) } + [nil] }
    defer { texts.joined().forEach { free($0) } }
    var child = pid_t()
    let failure = posix_spawn(&child, arguments[0], &actions, &attributes, &texts[0], texts[1])
    try #require(failure == 0)
    return child
  }

  /// What Slurm does with an element, without Slurm: the script is run, and asked to stop.
  @Test("An element trains, saves when it is asked to stop, is queued again and goes on")
  func element() throws {
    try withScratchFolder { folder in
      let grid = "\(folder)/grid"
      let training = TinyTraining(folder: folder)
      let sets = training.arguments.indices.filter { training.arguments[$0] == "--set" }
      let result = try CommandRunner.run(
        CommandRunner.program,
        ["leaderboard", "--models", "linformer", "--data", "\(folder)/data"]
          + sets.flatMap { training.arguments[$0...($0 + 1)] }
          + ["--set", "task.length=60", "--set", "train.steps=2000", "--set", "train.batch=8"]
          + ["--threads", "1", "--emit", "slurm", grid])
      #expect(result.status == 0, "\(result.errors)")
      // Stands for Slurm's command, and keeps what it was asked.
      let tools = "\(folder)/tools"
      try FileManager.default.createDirectory(atPath: tools, withIntermediateDirectories: true)
      try "#!/bin/sh\necho \"$@\" > \(folder)/requeued\n".write(
        toFile: "\(tools)/scontrol", atomically: true, encoding: .utf8)
      chmod("\(tools)/scontrol", 0o755)
      let process = try spawn(
        ["/bin/bash", "\(grid)/array.sh", "0"],
        [
          "SLURM_ARRAY_TASK_ID=0", "SLURM_ARRAY_JOB_ID=7", "PATH=\(tools):/usr/bin:/bin",
        ])
      let name = try #require(
        text("\(grid)/trainings").split(separator: "\t").first.map(String.init))
      let log = "\(grid)/\(name)/metrics.jsonl"
      var status: Int32 = 0
      while FileManager.default.contents(atPath: log)?.isEmpty ?? true,
        waitpid(process, &status, WNOHANG) == 0
      { usleep(1000) }
      kill(process, SIGUSR1)
      waitpid(process, &status, 0)
      #expect(status == 75 << 8)
      #expect(try text("\(folder)/requeued") == "requeue 7_0\n")
      #expect(try text("\(grid)/\(name)/STATUS") == "stopped\n")
    }
  }

  @Test("What is no scheduler is told")
  func unknown() throws {
    let result = try CommandRunner.lra("leaderboard --models fnet --emit pbs grid")
    #expect(result.status == 64)
    #expect(result.errors.contains("--emit takes slurm and a folder"))
  }
}
