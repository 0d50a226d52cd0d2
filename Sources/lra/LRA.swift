import ArgumentParser

/// The command line.
@main
struct LRA: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lra",
    abstract: "Trains, evaluates and compares efficient transformers on the Long Range Arena.",
    version: "0.1.0",
    subcommands: [Train.self, Evaluate.self, Predict.self, Bench.self])
}
