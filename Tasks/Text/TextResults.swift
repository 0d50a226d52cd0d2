// SPDX-License-Identifier: Apache-2.0

extension TextPresets {
  /// Published test accuracy on byte-level text classification in percent.
  package static let published: [PublishedResult] =
    PublishedResult.table(
      "Tay et al. 2020, arXiv 2011.04006, table 1",
      [
        ("transformer", 64.27), ("local", 52.98), ("sparse", 63.58), ("longformer", 62.85),
        ("linformer", 53.94), ("reformer", 56.10), ("sinkhorn", 61.20), ("synthesizer", 61.68),
        ("bigbird", 64.02), ("linear", 65.90), ("performer", 65.40),
      ])
    + PublishedResult.table(
      "Xiong et al. 2021, arXiv 2102.03902, table 3",
      [
        ("transformer", 65.02), ("reformer", 64.88), ("linformer", 55.91), ("performer", 63.81),
        ("nystromformer", 65.52),
      ])
}
