// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// Runs workers, and keeps what they find.
struct FuzzSupervisor {
  let room: String
  let seed: UInt64
  let findings: String

  /// Seconds after which an input counts as one that never ends.
  private static let patience = 20.0
  /// A reader with so many faults is left alone.
  private static let mostFaults = 10

  /// Feeds a reader with a range of inputs.
  ///
  /// - Returns: the number of inputs that found something.
  func run(_ reader: Reader, from: Int, to end: Int) throws -> Int {
    let place = try Room(room, of: reader.name)
    let progress = try FuzzProgress(place.progress)
    let mutator = try Mutator(seeds: reader.seeds(place), seed: seed ^ fnv1a(reader.name))
    let start = monotonicSeconds()
    var (next, faults) = (from, 0)
    while next < end, faults < Self.mostFaults {
      let (fault, foreign) = try work(reader, progress, from: next, to: end)
      for (number, text) in foreign {
        faults += 1
        try keep(reader, mutator, number, "another error than a UserError: \(text)")
      }
      if let fault {
        faults += 1
        try keep(reader, mutator, progress.number, fault)
      }
      next = progress.number + (fault == nil ? 0 : 1)
    }
    let total = max(progress.accepted + progress.refused, 1)
    printResult(
      "\(reader.name.padding(toLength: 28, withPad: " ", startingAt: 0)) \(next - from) inputs, "
        + "\(progress.refused * 100 / total) % refused, "
        + String(format: "%.1f s", monotonicSeconds() - start)
        + (faults > 0 ? ", FOUND \(faults)" : ""))
    return faults
  }

  /// Starts a worker and watches it.
  ///
  /// - Returns: how it ended, nil for well; and the inputs that it said were refused in another way.
  private func work(
    _ reader: Reader, _ progress: FuzzProgress, from: Int, to end: Int
  ) throws -> (fault: String?, foreign: [(Int, String)]) {
    let process = Process()
    process.executableURL = Bundle.main.executableURL
    process.arguments = [
      "--worker", reader.name, "--room", room, "--from", "\(from)", "--count", "\(end)", "--seed",
      "\(seed)",
    ]
    let log = "\(room)/\(reader.name).log"
    try Data().write(to: URL(fileURLWithPath: log))
    let output = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
    (process.standardOutput, process.standardError) = (output, output)
    process.standardInput = FileHandle.nullDevice
    process.environment = ProcessInfo.processInfo.environment.merging([
      "SWIFT_BACKTRACE": "enable=no", "LRA_THREADS": "1",
    ]) { $1 }
    progress.number = from
    try process.run()
    var (seen, since, hangs) = (-1, monotonicSeconds(), false)
    while process.isRunning {
      usleep(5000)
      if progress.number != seen { (seen, since) = (progress.number, monotonicSeconds()) }
      guard monotonicSeconds() - since > Self.patience else { continue }
      hangs = true
      kill(process.processIdentifier, SIGKILL)
      break
    }
    process.waitUntilExit()
    let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
    let foreign = lines.compactMap { line -> (Int, String)? in
      let words = line.split(separator: " ", maxSplits: 2)
      guard words.first == "FOREIGN", words.count == 3, let number = Int(words[1]) else {
        return nil
      }
      return (number, String(words[2]))
    }
    if hangs { return ("no end after \(Int(Self.patience)) s", foreign) }
    guard process.terminationStatus != 0 else { return (nil, foreign) }
    let last = lines.last { !$0.hasPrefix("FOREIGN") } ?? ""
    return ("ended with \(process.terminationStatus): \(last.prefix(300))", foreign)
  }

  /// Keeps an input, and tells of it.
  private func keep(
    _ reader: Reader, _ mutator: Mutator, _ number: Int, _ what: String
  ) throws {
    try createFolder(findings)
    let path = "\(findings)/\(reader.name)-\(seed)-\(number)"
    try writeAtomically(mutator.input(number), to: path)
    printResult("\(reader.name): input \(number) of seed \(seed): \(what)")
    printResult("  again: lra-fuzz --reader \(reader.name) --replay \(path)")
  }
}
