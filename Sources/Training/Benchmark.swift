import Autodiff
import Base
import Foundation
import Models

/// One cell of a speed table: a model of a given size, timed over whole steps.
public struct BenchmarkCell: Sendable {
  /// The model; dropout is off and no sequence is padded.
  public var model: ModelConfiguration
  /// Sequences a step.
  public var batch: Int
  /// Steps timed, after two that are not.
  public var steps: Int
  /// Only the forward pass, without recording.
  public var forwardOnly: Bool

  /// All fields.
  public init(model: ModelConfiguration, batch: Int, steps: Int, forwardOnly: Bool) {
    self.model = model
    self.batch = batch
    self.steps = steps
    self.forwardOnly = forwardOnly
  }
}

/// What a cell measured, under the names that comparisons use.
public struct BenchmarkResult: Codable, Sendable {
  public var model: String
  public var length: Int
  public var batch: Int
  public var emb: Int
  public var heads: Int
  public var layers: Int
  public var mlp: Int
  /// Seconds: the median step, and the fastest.
  public var stepS: Double
  public var minS: Double
  public var tokensPerS: Int
  /// Of the whole process, MiB.
  public var peakRssMib: Int
  public var params: Int
  public var threads: Int
  public var forward: Bool
  /// Counted by the kernels, a step.
  public var flops: Int
  public var gflopsPerS: Double
  /// Of the buffers in use at once, MiB.
  public var peakTensorMib: Double
  /// GFLOP/s of OpenBLAS's sgemm on as many threads, measured after the steps; nil without it.
  public var sgemmGflopsPerS: Double?
  /// gflopsPerS / sgemmGflopsPerS.
  public var mfu: Double?
}

extension BenchmarkCell {
  /// Runs the cell in this process.
  ///
  /// - Throws: `UserError` if the model's configuration is not valid.
  public func run() throws -> BenchmarkResult {
    let classifier = try Classifier(model, seed: 0)
    classifier.parameters.tracksGradients = !forwardOnly
    let step = try makeStep(classifier)
    for _ in 0..<2 { step() }
    BufferPool.shared.resetPeak()
    Meter.shared.reset()
    let times = (0..<steps).map { _ in seconds(step) }.sorted()
    return result(classifier, times)
  }

  func makeStep(_ classifier: Classifier) throws -> () -> Void {
    var random = RandomStream(seed: 0, stream: 1)
    let tokens = (0..<batch * model.length).map { _ in
      Int32(1 + random.integer(below: model.vocabulary - 1))
    }
    let labels = (0..<batch).map { _ in Int32(random.integer(below: model.classes)) }
    let input = PackedTokens(
      tokens: tokens, offsets: (0...batch).map { $0 * model.length }, capacity: model.length)
    let optimizer = AdamW(
      classifier.parameters,
      AdamW.Settings(
        weightDecay: 0.01, decayVectors: true, beta2: 0.999, epsilon: 1e-8, clip: 0))
    let forwardOnly = forwardOnly
    return {
      let logits = classifier(input)
      if forwardOnly { return }
      crossEntropy(logits, labels: labels).backward()
      _ = optimizer.update(rate: 1e-4, beta1: 0.9)
    }
  }

  private func seconds(_ body: () -> Void) -> Double {
    let start = DispatchTime.now().uptimeNanoseconds
    body()
    return Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
  }

  private func result(_ classifier: Classifier, _ times: [Double]) -> BenchmarkResult {
    let median = times[times.count / 2]
    let flops = Meter.shared.flops / steps
    let memory = (BufferPool.shared.counters.peak, peakResidentBytes())
    let peak = OpenBLAS.shared?.measurePeak(threads: Workers.shared.count)
    let speed = Double(flops) / median / 1e9
    return BenchmarkResult(
      model: model.name, length: model.length, batch: batch, emb: model.width, heads: model.heads,
      layers: model.layers, mlp: model.feedForward, stepS: median, minS: times[0],
      tokensPerS: Int(Double(batch * model.length) / median), peakRssMib: memory.1 >> 20,
      params: classifier.parameters.count, threads: Workers.shared.count, forward: forwardOnly,
      flops: flops, gflopsPerS: speed, peakTensorMib: Double(memory.0) / 1_048_576,
      sgemmGflopsPerS: peak, mfu: peak.map { speed / $0 })
  }
}
