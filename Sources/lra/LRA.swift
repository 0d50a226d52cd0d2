// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Autodiff
import Base
import Foundation
import Machine
import SourceCommit

/// The command line.
@main
struct LRA: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lra",
    abstract: "Trains, evaluates and compares efficient transformers on the Long Range Arena.",
    discussion: """
      lra train --task listops --model linformer --preset quick

      Results go to standard output, progress to standard error. `lra help TOPIC` explains \
      \(HelpTopic.allCases.map(\.rawValue).joined(separator: ", ")); `lra help KEY` a setting, \
      `lra help MODEL` a model, `lra help TASK` a task.
      """,
    version: "0.1.0, commit \(sourceCommit ?? "unknown")",
    subcommands: [
      Train.self, Evaluate.self, Inspect.self, Compare.self, Top.self, Advise.self, Predict.self,
      Bench.self, Compress.self,
      Leaderboard.self, Ladder.self, Cost.self,
      ReportCommand.self, ReportGreenformers.self, Reproduce.self,
      DataCommand.self,
      List.self,
      Explain.self, New.self, Doctor.self, Help.self,
    ])

  /// Runs the command; the one place where an error becomes text and an exit status.
  static func main() async {
    StandardStreams.prepare()
    do {
      try checkArguments()
      _ = try ThreadCount.fromEnvironment()
      try ProductKernel.fromEnvironment()
      _ = try EnergyTerms.fromEnvironment()
      var command = try parseAsRoot(arguments)
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch {
      end(with: error)
    }
  }

  /// The arguments, the words of `lra report greenformers` as the name that its command has.
  private static var arguments: [String] {
    let typed = CommandLine.arguments.dropFirst()
    let words = ReportGreenformers.words
    guard typed.starts(with: words) else { return Array(typed) }
    return [words.joined(separator: "-")] + typed.dropFirst(words.count)
  }

  /// Ends with the text and the status of an error, among them the texts that the parser of
  /// arguments was asked for.
  private static func end(with error: any Error) -> Never { Foundation.exit(tell(error)) }

  /// Prints the text of an error.
  ///
  /// - Parameter speaker: who has it, where there are several processes.
  /// - Returns: its exit status.
  static func tell(_ error: any Error, speaker: String = "") -> Int32 {
    if let error = error as? UserError {
      // Who has asked for an end is told how to continue; nothing went wrong.
      let what = error.kind == .stoppedEarly ? "" : "error: "
      printMessage(speaker + what + error.problem)
      if !error.remedy.isEmpty { printMessage(error.remedy) }
      return error.kind.rawValue
    }
    let (status, text) = (exitCode(for: error), fullMessage(for: error))
    if status.isSuccess, !text.isEmpty {
      do { try printResult(text) } catch { return tell(error) }
    } else if !text.isEmpty {
      printMessage(text)
    }
    return status.rawValue
  }

  /// Refuses arguments that are not UTF-8: as text they would name other files.
  private static func checkArguments() throws {
    var texts = (1..<max(1, Int(CommandLine.argc))).map { index in
      ("argument \(index)", CommandLine.unsafeArgv[index])
    }
    texts.append(("LRA_DATA", getenv("LRA_DATA")))
    for (name, bytes) in texts {
      guard let bytes, String(validatingCString: bytes) == nil else { continue }
      throw UserError(
        .usage, "\(name), \"\(String(cString: bytes))\", is not UTF-8",
        remedy: "rename the file or folder, or work inside it and call it .")
    }
  }
}
