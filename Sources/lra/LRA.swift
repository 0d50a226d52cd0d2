import ArgumentParser
import Base
import Foundation

/// The command line.
@main
struct LRA: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lra",
    abstract: "Trains, evaluates and compares efficient transformers on the Long Range Arena.",
    discussion: """
      Results go to standard output, progress to standard error.

      For completion in the shell, put the output of `lra --generate-completion-script bash` \
      (or zsh, or fish) where the shell looks for it, in bash as \
      ~/.local/share/bash-completion/completions/lra.

      Exit status: 0 done; 1 failed; 64 wrong usage; 65 bad data; 66 missing input; 69 something \
      to install; 73 cannot write; 75 stopped early, run again to go on; 78 wrong configuration.

      Environment: LRA_THREADS, the number of threads; LRA_DATA, the folder for data, else data.
      """,
    version: "0.1.0",
    subcommands: [
      Train.self, Evaluate.self, Compare.self, Top.self, Advise.self, Predict.self, Bench.self,
      Leaderboard.self,
      ReportCommand.self, Reproduce.self,
      DataCommand.self,
      List.self,
      Explain.self, New.self, Doctor.self,
    ])

  /// Runs the command; the one place where an error becomes text and an exit status.
  static func main() async {
    do {
      var command = try parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch let error as UserError {
      say("error: \(error.problem)")
      if !error.remedy.isEmpty { say(error.remedy) }
      Foundation.exit(error.kind.rawValue)
    } catch {
      exit(withError: error)
    }
  }
}
