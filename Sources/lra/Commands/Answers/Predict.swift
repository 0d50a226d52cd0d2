// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Autodiff
import Base
import Runs
import Training

/// `lra predict`: the logits of given token sequences, to compare with another implementation.
struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compute the logits of token sequences in a safetensors file.",
    usage: "lra predict RUN --input FILE --output FILE [OPTION ...]",
    discussion: """
      lra predict runs/text-s4d-quick-s0 --input in.safetensors --output out.safetensors

      The input holds a tensor tokens, I32 or I64, [B, L], padded with 0 at the right, or [B, 2, L]
      for a model that compares two sequences; the output a tensor logits, F32, [B, C]. Weights are
      documented in docs/models.md.
      """)

  @Argument(
    help: ArgumentHelp(
      "A run folder, or a folder with config.json and model.safetensors.", valueName: "run"),
    completion: .file(), transform: pathArgument)
  var folder: String
  @Option(help: "The safetensors file with tokens.", completion: .file(), transform: pathArgument)
  var input: String
  @Option(
    help: "The safetensors file to write logits to.", completion: .file(), transform: pathArgument)
  var output: String
  @Option(help: "The checkpoint: best or last.")
  var checkpoint: CheckpointChoice = .best
  @Option(help: "Threads. Default: all cores, or $LRA_THREADS.")
  var threads: Int?

  func run() throws {
    if let threads { try useThreads(threads) }
    let saved = try SavedModel(
      folder, choice: checkpoint, dataFolder: dataFolder(nil, ofRun: folder))
    if let message = saved.message { printMessage("warning: \(message)") }
    let tokens = try TokenFile(input, for: saved.model.configuration)
    let logits =
      saved.configuration.exits.leaving.map {
        saved.model.answers(tokens.input, leavingAt: $0).logits
      } ?? saved.model(tokens.input).values
    let classes = saved.model.configuration.classes
    let shape = [logits.count / classes, classes]
    var file = SafeTensors()
    file.metadata = ["format": "pt"]
    file.add("logits", shape: shape, logits)
    try writeOutput(file.serialized(), to: output)
    printMessage("logits \(shape) written to \(output)")
  }
}
