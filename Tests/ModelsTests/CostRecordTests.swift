import Autodiff
import Models
import TestSupport
import Testing

/// What a training step needs, counted, so that no clock decides.
private struct Cost: Equatable, CustomStringConvertible {
  /// Floating-point operations, as the kernels state them.
  let flops: Int
  /// Bytes that the kernels must read and write.
  let bytes: Int
  /// Kernels run.
  let calls: Int
  /// The most that buffers held at once.
  let peak: Int

  init(_ flops: Int, _ bytes: Int, _ calls: Int, _ peak: Int) {
    (self.flops, self.bytes, self.calls, self.peak) = (flops, bytes, calls, peak)
  }

  /// Of a forward and a backward pass over two sequences of 512 tokens, on one thread.
  init(_ entry: VariantEntry) throws {
    let model = try Classifier(tinyConfiguration(entry, length: 512), seed: 1)
    let batch = TinyBatch(lengths: [512, 512])
    let input = batch.packed(capacity: 512)
    _ = model.parameters.values
    Meter.shared.reset()
    let before = BufferPool.shared.counters.live
    BufferPool.shared.resetPeak()
    crossEntropy(model(input), labels: batch.labels).backward()
    let accounts = Meter.shared.accounts.values
    self.init(
      accounts.reduce(0) { $0 + $1.flops }, accounts.reduce(0) { $0 + $1.bytes },
      accounts.reduce(0) { $0 + $1.calls }, BufferPool.shared.counters.peak - before)
  }

  var description: String { "Cost(\(flops), \(bytes), \(calls), \(peak))" }
}

/// A change of these numbers is a change of what a step costs, and is entered here on purpose.
///
/// A new variant is guarded from the moment that its line is here.
private let record = [
  "bigbird": Cost(29_677_696, 5_342_880, 26, 1_202_696),
  "cosformer": Cost(28_679_296, 5_867_168, 26, 1_237_384),
  "fnet": Cost(16_948_352, 3_753_632, 26, 655_880),
  "linear": Cost(25_533_568, 5_867_168, 26, 1_212_424),
  "linformer": Cost(23_338_112, 5_519_008, 46, 1_073_672),
  "local": Cost(24_222_848, 5_342_880, 26, 1_202_696),
  "longformer": Cost(32_796_288, 7_061_664, 38, 1_600_808),
  "lowrank": Cost(243_211_392, 5_971_744, 42, 1_177_864),
  "lru": Cost(37_978_880, 12_039_136, 40, 1_974_656),
  "luna": Cost(25_152_960, 6_046_880, 53, 1_208_520),
  "nystromformer": Cost(29_436_544, 7_217_824, 46, 1_340_104),
  "performer": Cost(36_019_328, 5_867_168, 26, 1_232_904),
  "reformer": Cost(45_079_456, 5_863_072, 32, 1_200_648),
  "s4d": Cost(18_514_688, 3_810_272, 20, 889_352),
  "sinkhorn": Cost(109_223_040, 15_206_048, 46, 3_807_240),
  "sparse": Cost(53_032_832, 5_342_880, 26, 1_202_696),
  "synthesizer": Cost(268_119_168, 6_878_880, 42, 1_344_008),
  "transformer": Cost(257_268_864, 5_342_880, 26, 1_202_696),
]

/// In a process of its own, since meter, pool and threads are the process's.
@Suite("Cost on record")
struct CostRecordTests {
  @Test("A step needs the operations, bytes, kernels and memory that it needed before")
  func record() async {
    await #expect(processExitsWith: .success) {
      Workers.shared.limit(to: 1)
      for (name, expected) in ModelsTests.record {
        let cost = try Cost(VariantCatalog.named(name))
        #expect(cost == expected, "\"\(name)\": \(cost),")
      }
    }
  }
}
