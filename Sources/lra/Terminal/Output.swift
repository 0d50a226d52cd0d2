// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Autodiff
import Base
import Foundation
import Runs

/// Writes a line of progress or a complaint to standard error.
func printMessage(_ line: String) { StandardStreams.writeError(printable(line) + "\n") }

/// Writes a line of the result to standard output, at once also where that is a file or a pipe.
///
/// - Parameter colored: whether the line has colours of its own, and nothing foreign.
/// - Throws: `UserError(.cannotWrite)` when it cannot be written.
func printResult(_ line: String, colored: Bool = false) throws {
  try StandardStreams.writeOutput((colored ? line : printable(line)) + "\n")
}

/// Whether standard output is a screen with colours.
var outputHasColors: Bool {
  let environment = ProcessInfo.processInfo.environment
  return isatty(STDOUT_FILENO) == 1 && environment["TERM", default: "dumb"] != "dumb"
    && environment["NO_COLOR", default: ""].isEmpty
}

/// A value as JSON with names such as `step_s`, on one line or laid out for people.
func jsonText(_ value: some Encodable, oneLine: Bool = false) throws -> String {
  String(decoding: try SnakeCaseJSON.encoded(value, oneLine: oneLine), as: UTF8.self)
}

/// The parts of a comma-separated list, spaces around them removed.
func commaSeparated(_ text: String) -> [String] {
  text.split(separator: ",", omittingEmptySubsequences: false)
    .map { $0.trimmingCharacters(in: .whitespaces) }
}

/// Checks a number given with a flag.
///
/// - Throws: `UserError(.usage)` naming the flag when it is less than `least` or more than `most`.
func require(
  _ flag: String, _ value: Int, atLeast least: Int, atMost most: Int = 1_000_000_000
) throws {
  if (least...most).contains(value) { return }
  throw UserError(
    .usage,
    "\(flag) is \(value), but must be at \(value < least ? "least \(least)" : "most \(most)")",
    remedy: "lra <command> --help shows the defaults")
}

/// Computes with as many threads as a flag says.
///
/// - Throws: `UserError(.usage)` when it is no number of threads.
func useThreads(_ count: Int) throws {
  Workers.shared.limit(to: try ThreadCount.checked(count, "--threads"))
}

/// A path given as an argument.
///
/// - Throws: for an empty one, which would name the root of the file system.
func pathArgument(_ text: String) throws -> String {
  if !text.isEmpty { return text }
  throw ValidationError(
    "the name is empty, as an unset variable of the shell leaves it; name a file or a folder")
}

/// The folder of the data: the flag, `$LRA_DATA` unless it is empty, or `data`.
func dataFolder(_ flag: String?) -> String {
  let chosen = ProcessInfo.processInfo.environment["LRA_DATA", default: ""]
  return flag ?? (chosen.isEmpty ? "data" : chosen)
}

/// The folder of the data of an earlier run: the flag, the one that the run noted, or the usual one.
///
/// - Throws: `UserError` when there is no run, or its note cannot be understood.
func dataFolder(_ flag: String?, ofRun run: String) throws -> String {
  if let flag { return flag }
  return try RunFolder.open(run).notedDataFolder() ?? dataFolder(nil)
}

/// A comma-separated list of whole numbers.
///
/// - Throws: `UserError(.usage)` that names the flag.
func integers(_ flag: String, _ text: String, atLeast least: Int) throws -> [Int] {
  try commaSeparated(text).map { part in
    guard let number = Int(part) else {
      throw UserError(
        .usage, "\(flag): \"\(part)\" is not a whole number",
        remedy: "separate numbers by commas: \(flag) 1024,2048")
    }
    try require(flag, number, atLeast: least)
    return number
  }
}

/// Checks a number given with a flag.
///
/// - Throws: `UserError(.usage)` naming the flag when it is not above one and at most another number.
func require(_ flag: String, _ value: Double, above least: Double, atMost most: Double) throws {
  if value > least, value <= most { return }
  throw UserError(
    .usage, "\(flag) is \(value), but must be above \(least) and at most \(most)",
    remedy: "lra <command> --help shows the defaults")
}

/// A comma-separated list of numbers.
///
/// - Throws: `UserError(.usage)` that names the flag.
func numbers(
  _ flag: String, _ text: String, above least: Double, atMost most: Double
) throws -> [Double] {
  try commaSeparated(text).map { part in
    guard let number = Double(part) else {
      throw UserError(
        .usage, "\(flag): \"\(part)\" is not a number",
        remedy: "separate numbers by commas: \(flag) 0.25,0.5")
    }
    try require(flag, number, above: least, atMost: most)
    return number
  }
}
