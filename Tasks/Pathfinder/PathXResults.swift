// SPDX-License-Identifier: Apache-2.0

extension PathXPresets {
  /// Published test accuracy on hard pictures of 128 × 128 pixels in percent.
  ///
  /// In table 1 of the Long Range Arena's paper no model is better than chance.
  package static let published: [PublishedResult] =
    PublishedResult.table(
      "Gu et al. 2022, arXiv 2206.11893, table 6, S4D-LegS", [("s4d", 91.95)])
    + PublishedResult.table(
      "Orvieto et al. 2023, arXiv 2303.06349, table 1", [("lru", 94.2)])
}
