// SPDX-License-Identifier: Apache-2.0

extension ImagePresets {
  /// Published test accuracy on grey CIFAR-10 as a sequence in percent.
  package static let published: [PublishedResult] =
    PublishedResult.table(
      "Tay et al. 2020, arXiv 2011.04006, table 1",
      [
        ("transformer", 42.44), ("local", 41.46), ("sparse", 44.24), ("longformer", 42.22),
        ("linformer", 38.56), ("reformer", 38.07), ("sinkhorn", 41.23), ("synthesizer", 41.61),
        ("bigbird", 40.83), ("linear", 42.34), ("performer", 42.77),
      ])
    + PublishedResult.table(
      "Xiong et al. 2021, arXiv 2102.03902, table 3",
      [
        ("transformer", 38.20), ("reformer", 43.29), ("linformer", 37.84), ("performer", 37.07),
        ("nystromformer", 41.58),
      ])
}
