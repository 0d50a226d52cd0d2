// SPDX-License-Identifier: Apache-2.0

extension ListOpsPresets {
  /// Published test accuracy on ListOps in percent.
  package static let published: [PublishedResult] =
    PublishedResult.table(
      "Tay et al. 2020, arXiv 2011.04006, table 1",
      [
        ("transformer", 36.37), ("local", 15.82), ("sparse", 17.07), ("longformer", 35.63),
        ("linformer", 35.70), ("reformer", 37.27), ("sinkhorn", 33.67), ("synthesizer", 36.99),
        ("bigbird", 36.05), ("linear", 16.13), ("performer", 18.01),
      ])
    + PublishedResult.table(
      "Xiong et al. 2021, arXiv 2102.03902, table 3",
      [
        ("transformer", 37.10), ("reformer", 19.05), ("linformer", 37.25), ("performer", 18.80),
        ("nystromformer", 37.15),
      ])
}
