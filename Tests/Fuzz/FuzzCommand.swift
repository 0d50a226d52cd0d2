// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Base
import Foundation

/// `lra-fuzz`: feeds broken files to every reader of the program, which has to take each or refuse it
/// with a `UserError`.
///
/// Input n of a reader is a function of seed and n: what went wrong once goes wrong again. Each reader
/// runs in a process of its own, so that a crash, a hang or a hunger for memory is told like any other
/// finding, and the readers behind it have their turn.
@main
struct FuzzCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lra-fuzz", abstract: "Feed broken files to every reader.")

  @Option(help: "Readers, separated by commas. Default: all; --list shows them.")
  var reader: String?
  @Option(help: "Inputs of each reader; a reader that takes long gets a part of them.")
  var count = 2000
  @Option(help: "The first input's number, to go on with an earlier run.")
  var from = 0
  @Option(help: "What the inputs are drawn from.")
  var seed: UInt64 = 0
  @Option(help: "Where inputs that found something are kept.")
  var findings = ".build/fuzz"
  @Option(help: "Reads one kept file with the reader, in this process.")
  var replay: String?
  @Flag(help: "Print the readers' names.")
  var list = false
  @Option(help: .hidden)
  var room: String?
  @Option(help: .hidden)
  var worker: String?

  func run() throws {
    if list { return Reader.all.forEach { printResult($0.name) } }
    if let worker, let room {
      return try FuzzWorker(reader: Reader.named(worker), room: Room(room, of: worker))
        .run(seed: seed, from: from, to: count)
    }
    let readers = try reader?.split(separator: ",").map { try Reader.named(String($0)) }
    try Room.withSeeds { room in
      if let replay {
        let reader = try Reader.named(reader ?? "")
        return try reader.read(Room(room, of: reader.name), readFile(replay))
      }
      let supervisor = FuzzSupervisor(room: room, seed: seed, findings: findings)
      let faults = try (readers ?? Reader.all).map {
        try supervisor.run($0, from: from, to: from + max(1, count / $0.cost))
      }.reduce(0, +)
      printResult(faults == 0 ? "nothing found" : "found \(faults)")
      if faults > 0 { throw ExitCode.failure }
    }
  }
}

/// Writes a line at once, so that it is there when the process dies.
func printResult(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }
