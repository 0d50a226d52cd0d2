// SPDX-License-Identifier: Apache-2.0

/// Speed and memory as the LRA's paper gives them, in its table 2 (arXiv 2011.04006).
///
/// Task text, 32 examples, 4 × 4 chips of TPU v3. Sparse and Longformer are missing there because their
/// patterns were dense masks. The Synthesizer's 6.6 at 3,072 tokens is taken to be a misprint by the
/// field; it stands as printed.
enum PublishedSpeed {
  /// One row.
  struct Row {
    let model: String
    /// Training steps a second at 1, 2, 3 and 4 times 1,024 tokens.
    let stepsPerSecond: [Double]
    /// Memory of each device in GB at the same lengths.
    let gigabytes: [Double]
  }

  /// Where the figures come from.
  static let source = "Tay et al. 2020, arXiv 2011.04006, table 2: 4 × 4 TPU v3, batch 32"
  /// The lengths, in tokens.
  static let lengths = [1024, 2048, 3072, 4096]

  /// All rows.
  static let rows = [
    Row(
      model: "transformer", stepsPerSecond: [8.1, 4.9, 2.3, 1.4],
      gigabytes: [0.85, 2.65, 5.51, 9.48]
    ),
    Row(
      model: "local", stepsPerSecond: [9.2, 8.4, 7.4, 7.4], gigabytes: [0.42, 0.76, 1.06, 1.37]),
    Row(
      model: "linformer", stepsPerSecond: [9.3, 9.1, 8.5, 7.7], gigabytes: [0.37, 0.55, 0.99, 0.99]),
    Row(
      model: "reformer", stepsPerSecond: [4.4, 2.2, 1.5, 1.1], gigabytes: [0.48, 0.99, 1.53, 2.28]),
    Row(
      model: "sinkhorn", stepsPerSecond: [9.1, 7.9, 6.6, 5.3], gigabytes: [0.47, 0.83, 1.13, 1.48]),
    Row(
      model: "synthesizer", stepsPerSecond: [8.7, 5.7, 6.6, 1.9],
      gigabytes: [0.65, 1.98, 4.09, 6.99]
    ),
    Row(
      model: "bigbird", stepsPerSecond: [7.4, 3.9, 2.7, 1.5], gigabytes: [0.77, 1.49, 2.18, 2.88]),
    Row(
      model: "linear", stepsPerSecond: [9.1, 9.3, 8.6, 7.8], gigabytes: [0.37, 0.57, 0.80, 1.03]),
    Row(
      model: "performer", stepsPerSecond: [9.5, 9.4, 8.7, 8.0], gigabytes: [0.37, 0.59, 0.82, 1.06]),
  ]

  /// Steps a second relative to the transformer's at a length; nil where not published.
  static func ratio(_ model: String, at length: Int) -> Double? {
    guard let place = lengths.firstIndex(of: length), let row = row(model),
      let yardstick = self.row("transformer")
    else { return nil }
    return row.stepsPerSecond[place] / yardstick.stepsPerSecond[place]
  }

  /// GB of each device at a length; nil where not published.
  static func gigabytes(_ model: String, at length: Int) -> Double? {
    lengths.firstIndex(of: length).flatMap { place in row(model)?.gigabytes[place] }
  }

  private static func row(_ model: String) -> Row? { rows.first { $0.model == model } }
}
