import Autodiff
import Base
import Foundation
import Models

/// One cell of a speed table: a model of a given size, timed over whole steps.
public struct BenchmarkCell: Sendable {
  /// The model; dropout is off and no sequence is padded.
  public var model: ModelConfiguration
  /// Examples a step, each of as many sequences as the model has towers.
  public var batch: Int
  /// Steps timed, at least one, after two that are not.
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

/// What a cell measured.
///
/// In JSON the names are those that comparisons with other programs use, as `step_s`.
public struct BenchmarkResult: Codable, Sendable, Equatable {
  /// The variant.
  public var model: String
  /// Tokens of a sequence.
  public var length: Int
  /// Examples a step.
  public var batch: Int
  /// Sequences of an example.
  public var towers: Int
  /// E.
  public var emb: Int
  /// H.
  public var heads: Int
  /// Blocks.
  public var layers: Int
  /// F.
  public var mlp: Int
  /// Seconds of the median step.
  public var stepS: Double
  /// Seconds of the fastest step.
  public var minS: Double
  /// Tokens a second in the median step.
  public var tokensPerS: Int
  /// The most main memory that the process held until the steps were done, MiB.
  public var peakRssMib: Int
  /// Weights of the model.
  public var params: Int
  /// Threads computing.
  public var threads: Int
  /// Always false: nothing is compiled while it runs.
  public var compile = false
  /// Whether only inference was timed.
  public var forward: Bool
  /// Floating-point operations a step, counted by the kernels.
  public var flops: Int
  /// Floating-point operations a nanosecond in the median step.
  public var gflopsPerS: Double
  /// The most that the buffers in use held at once, MiB.
  public var peakTensorMib: Double
  /// GFLOP/s of OpenBLAS's sgemm on as many threads, measured after the steps; nil without it.
  public var sgemmGflopsPerS: Double?
  /// The model's share of that speed, 0...1.
  public var mfu: Double?
  /// Pages that the kernel had to map in, a step: 0 when all memory is reused.
  public var pageFaultsPerStep: Double

  /// All fields but `compile`.
  package init(
    model: String, length: Int, batch: Int, towers: Int, emb: Int, heads: Int, layers: Int,
    mlp: Int, stepS: Double, minS: Double, tokensPerS: Int, peakRssMib: Int, params: Int,
    threads: Int, forward: Bool, flops: Int, gflopsPerS: Double, peakTensorMib: Double,
    sgemmGflopsPerS: Double?, mfu: Double?, pageFaultsPerStep: Double
  ) {
    self.model = model
    self.length = length
    self.batch = batch
    self.towers = towers
    self.emb = emb
    self.heads = heads
    self.layers = layers
    self.mlp = mlp
    self.stepS = stepS
    self.minS = minS
    self.tokensPerS = tokensPerS
    self.peakRssMib = peakRssMib
    self.params = params
    self.threads = threads
    self.forward = forward
    self.flops = flops
    self.gflopsPerS = gflopsPerS
    self.peakTensorMib = peakTensorMib
    self.sgemmGflopsPerS = sgemmGflopsPerS
    self.mfu = mfu
    self.pageFaultsPerStep = pageFaultsPerStep
  }
}

extension BenchmarkCell {
  /// Runs the cell in this process.
  ///
  /// - Parameter profiling: whether to time every operation, which costs little.
  /// - Returns: what was measured, and where the time went if that was asked for.
  /// - Throws: `UserError` if the model's configuration is not valid.
  public func run(
    profiling: Bool = false
  ) throws -> (result: BenchmarkResult, profile: OperationProfile?) {
    let classifier = try Classifier(model, seed: 0)
    classifier.parameters.tracksGradients = !forwardOnly
    let step = makeStep(classifier)
    for _ in 0..<2 { step() }
    BufferPool.shared.resetPeak()
    Meter.shared.reset(timing: profiling)
    let faults = minorPageFaults()
    let times = (0..<steps).map { _ in secondsTaken(by: step) }
    let newFaults = minorPageFaults() - faults
    let accounts = Meter.shared.accounts
    let result = result(classifier, times.sorted(), faults: newFaults)
    guard profiling else { return (result, nil) }
    let profile = OperationProfile(
      accounts, steps: steps, seconds: times.reduce(0, +),
      roofline: .measured(threads: result.threads))
    return (result, profile)
  }

  private func makeStep(_ classifier: Classifier) -> () -> Void {
    var random = RandomStream(seed: 0, stream: 1)
    let sequences = batch * model.towers
    let tokens = (0..<sequences * model.length).map { _ in
      Int32(1 + random.integer(below: model.vocabulary - 1))
    }
    let labels = (0..<batch).map { _ in Int32(random.integer(below: model.classes)) }
    let input = PackedTokens(
      tokens: tokens, offsets: (0...sequences).map { $0 * model.length }, capacity: model.length)
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

  private func result(
    _ classifier: Classifier, _ sorted: [Double], faults: Int
  ) -> BenchmarkResult {
    let median = (sorted[(steps - 1) / 2] + sorted[steps / 2]) / 2
    let flops = Meter.shared.flops / steps
    let tensors = BufferPool.shared.counters.peak
    // Read before the yardstick takes memory of its own.
    let resident = peakResidentBytes()
    let threads = Workers.shared.count
    let peak = OpenBLAS.shared?.measurePeak(threads: threads)
    let speed = Double(flops) / median / 1e9
    return BenchmarkResult(
      model: model.name, length: model.length, batch: batch, towers: model.towers,
      emb: model.width, heads: model.heads, layers: model.layers, mlp: model.feedForward,
      stepS: rounded(median, 6), minS: rounded(sorted[0], 6),
      tokensPerS: Int(Double(batch * model.towers * model.length) / median),
      peakRssMib: resident >> 20, params: classifier.parameters.count, threads: threads,
      forward: forwardOnly, flops: flops, gflopsPerS: rounded(speed, 2),
      peakTensorMib: rounded(Double(tensors) / 1_048_576, 1),
      sgemmGflopsPerS: peak.map { rounded($0, 1) }, mfu: peak.map { rounded(speed / $0, 4) },
      pageFaultsPerStep: rounded(Double(faults) / Double(steps), 1))
  }
}

private func secondsTaken(by body: () -> Void) -> Double {
  let start = monotonicSeconds()
  body()
  return monotonicSeconds() - start
}

/// Pages that were mapped in for this process so far without reading from a disk.
private func minorPageFaults() -> Int {
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  return usage.ru_minflt
}

private func rounded(_ value: Double, _ decimals: Int) -> Double {
  let scale = pow(10, Double(decimals))
  return (value * scale).rounded() / scale
}
