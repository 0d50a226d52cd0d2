// SPDX-License-Identifier: Apache-2.0

extension RetrievalPresets {
  /// Published test accuracy on pairs of papers in percent.
  package static let published: [PublishedResult] =
    PublishedResult.table(
      "Tay et al. 2020, arXiv 2011.04006, table 1",
      [
        ("transformer", 57.46), ("local", 53.39), ("sparse", 59.59), ("longformer", 56.89),
        ("linformer", 52.27), ("reformer", 53.40), ("sinkhorn", 53.83), ("synthesizer", 54.67),
        ("bigbird", 59.29), ("linear", 53.09), ("performer", 53.82),
      ])
    + PublishedResult.table(
      "Xiong et al. 2021, arXiv 2102.03902, table 3",
      [
        ("transformer", 79.35), ("reformer", 78.64), ("linformer", 79.37), ("performer", 78.62),
        ("nystromformer", 79.56),
      ])
}
