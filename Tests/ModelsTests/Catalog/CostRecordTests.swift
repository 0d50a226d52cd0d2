import Autodiff
import Models
import TestSupport
import Testing

/// A change of these numbers is a change of what a step costs, and is entered here on purpose.
///
/// Two sequences of 512 tokens, on one thread. A new variant is guarded from the moment that its line
/// is here.
private let record = [
  "bigbird": StepCost(29_677_696, 5_342_880, 26, 1_202_312),
  "cosformer": StepCost(28_679_296, 5_867_168, 26, 1_237_000),
  "fnet": StepCost(16_555_136, 2_573_984, 18, 655_496),
  "linear": StepCost(25_533_568, 5_867_168, 26, 1_212_040),
  "linformer": StepCost(23_338_112, 5_519_008, 46, 1_073_288),
  "local": StepCost(24_222_848, 5_342_880, 26, 1_202_312),
  "longformer": StepCost(32_796_288, 7_061_664, 38, 1_600_424),
  "lowrank": StepCost(243_211_392, 5_971_744, 42, 1_177_864),
  "lru": StepCost(37_978_880, 12_039_136, 40, 1_974_656),
  "luna": StepCost(25_152_960, 6_046_880, 53, 1_208_136),
  "nystromformer": StepCost(29_244_288, 6_688_928, 42, 1_505_608),
  "performer": StepCost(34_970_752, 5_867_168, 26, 1_232_520),
  "reformer": StepCost(45_079_456, 5_863_072, 32, 1_200_264),
  "s4d": StepCost(18_514_688, 3_810_272, 20, 888_968),
  "sinkhorn": StepCost(108_633_216, 11_273_888, 34, 2_643_976),
  "sparse": StepCost(53_032_832, 5_342_880, 26, 1_202_312),
  "synthesizer": StepCost(268_119_168, 6_878_880, 42, 1_343_624),
  "transformer": StepCost(257_268_864, 5_342_880, 26, 1_202_312),
]

/// In a process of its own, since meter, pool and threads are the process's.
@Suite("Cost on record")
struct CostRecordTests {
  @Test("A step needs the operations, bytes, kernels and memory that it needed before")
  func record() async {
    await #expect(processExitsWith: .success) {
      Workers.shared.limit(to: 1)
      for (name, expected) in ModelsTests.record {
        let cost = try StepCost(tinyConfiguration(VariantCatalog.named(name), length: 512))
        #expect(cost == expected, "\"\(name)\": \(cost),")
      }
    }
  }
}
