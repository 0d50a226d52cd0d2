import ArgumentParser
import Autodiff
import Base
import Foundation
import Models
import Training

/// `lra bench`: seconds a step, memory and share of peak, a process for each cell.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure speed and memory of one training step, or of inference.")

  @Option(help: "Models, separated by commas.")
  var model = "transformer,linformer,linear"
  @Option(help: "Lengths in tokens, separated by commas.")
  var length = "1024"
  @Option(help: "Sequences a step.")
  var batch = 8
  @Option(help: "Model width E.")
  var emb = 64
  @Option(help: "Heads H.")
  var heads = 2
  @Option(help: "Blocks.")
  var layers = 2
  @Option(help: "Feed-forward width F.")
  var mlp = 128
  @Option(help: "Token numbers.")
  var vocab = 256
  @Option(help: "Classes.")
  var classes = 2
  @Option(help: "Steps timed, after two that are not.")
  var steps = 5
  @Option(help: "Threads; all cores by default.")
  var threads: Int?
  @Flag(help: "Time inference only.")
  var forward = false
  @Option(help: "A setting of the model, such as model.projected=128. May be repeated.")
  var set: [String] = []
  @Flag(help: "Print one JSON object a line.")
  var json = false
  @Flag(help: "Print time, GFLOP/s and GB/s of each operation.")
  var profile = false

  func run() throws {
    if let threads { Workers.shared.limit(to: threads) }
    var configuration = ModelConfiguration(
      name: model, layers: layers, width: emb, heads: heads, feedForward: mlp,
      length: Int(length) ?? 0, vocabulary: vocab, classes: classes)
    configuration.dropout = 0
    configuration.attentionDropout = 0
    for s in set { let p = s.split(separator: "="); configuration.options[String(p[0].dropFirst(6))] = Int(p[1]).map { .integer($0) } ?? .text(String(p[1])) }
    let r = try BenchmarkCell(model: configuration, batch: batch, steps: steps, forwardOnly: forward).run()
    print(r)
  }
}
