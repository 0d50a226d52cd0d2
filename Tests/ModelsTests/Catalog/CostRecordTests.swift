// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Models
import TestSupport
import Testing

/// A change of these numbers is a change of what a step costs, and is entered here on purpose.
///
/// Two sequences of 512 tokens, on one thread.
private let record = [
  "bigbird": StepCost(29_677_776, 5_367_584, 32, 1_504_200),
  "cosformer": StepCost(28_679_376, 5_893_408, 36, 1_319_816),
  "fnet": StepCost(16_555_216, 2_574_112, 20, 832_392),
  "linear": StepCost(25_533_648, 5_891_872, 32, 1_292_808),
  "linformer": StepCost(23_338_192, 5_519_136, 48, 1_152_072),
  "local": StepCost(24_222_928, 5_367_584, 32, 2_207_112),
  "longformer": StepCost(32_960_208, 7_496_992, 56, 1_902_312),
  "lowrank": StepCost(243_211_472, 5_981_088, 52, 1_479_752),
  "lru": StepCost(37_994_800, 12_071_904, 50, 1_997_184),
  "luna": StepCost(25_153_040, 6_050_080, 57, 1_503_944),
  "nystromformer": StepCost(29_244_368, 6_713_632, 48, 1_805_512),
  "performer": StepCost(34_970_832, 5_891_872, 32, 1_315_336),
  "reformer": StepCost(45_079_536, 5_879_584, 38, 4_352_584),
  "s4d": StepCost(18_545_488, 3_830_880, 30, 951_944),
  "sinkhorn": StepCost(108_633_296, 11_298_592, 40, 3_358_984),
  "sparse": StepCost(53_032_912, 5_367_584, 32, 1_574_280),
  "synthesizer": StepCost(268_119_248, 6_879_008, 44, 1_647_560),
  "transformer": StepCost(257_268_944, 5_367_584, 32, 1_504_200),
]

/// In a process of its own, since profiler, pool and threads are the process's.
@Suite("Cost on record")
struct CostRecordTests {
  @Test("A step needs the operations, bytes, kernels and memory that it needed before")
  func record() async {
    await #expect(processExitsWith: .success) {
      Workers.shared.limit(to: 1)
      let models = VariantCatalog.all.filter { !$0.about.isDraft }
      for entry in models {
        let cost = try StepCost(tinyConfiguration(entry, length: 512))
        #expect(cost == ModelsTests.record[entry.name], "\"\(entry.name)\": \(cost),")
      }
      #expect(ModelsTests.record.count == models.count)
    }
  }
}
