// SPDX-License-Identifier: Apache-2.0

extension PathfinderPresets {
  /// Published test accuracy on hard pictures of 32 × 32 pixels in percent.
  package static let published: [PublishedResult] =
    PublishedResult.table(
      "Tay et al. 2020, arXiv 2011.04006, table 1",
      [
        ("transformer", 71.40), ("local", 66.63), ("sparse", 71.71), ("longformer", 69.71),
        ("linformer", 76.34), ("reformer", 68.50), ("sinkhorn", 67.45), ("synthesizer", 69.45),
        ("bigbird", 74.87), ("linear", 75.30), ("performer", 77.05),
      ])
    + PublishedResult.table(
      "Xiong et al. 2021, arXiv 2102.03902, table 3",
      [
        ("transformer", 74.16), ("reformer", 69.36), ("linformer", 67.60), ("performer", 69.87),
        ("nystromformer", 70.94),
      ])
}
