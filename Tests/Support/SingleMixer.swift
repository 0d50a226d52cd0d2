// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Models

/// What one variant's layer does by itself, without a model around it.
package struct SingleMixer {
  private static let width = 16

  private let mixer: any Mixer
  private let parameters: Parameters

  /// - Parameters:
  ///   - length: of the longest sequence.
  ///   - path: the layer's place in the naming tree.
  package init(
    _ name: String, _ options: [String: Setting], heads: Int = 1, length: Int,
    path: String = "blocks.0.mixer"
  ) throws {
    let entry = try VariantCatalog.named(name)
    var configuration = try tinyConfiguration(entry, length: length)
    configuration.heads = heads
    configuration.options.merge(options) { $1 }
    try configuration.validate()
    parameters = Parameters(seed: 5)
    mixer = try entry.parts(configuration).mixer(
      configuration.wholeBlock, parameters.root.scope(path))
  }

  /// A weight of the layer.
  package func weight(_ name: String) -> Parameter? {
    parameters.all.first { $0.name.hasSuffix(name) }
  }

  /// Sets rows of a weight to zero.
  package func clear(_ name: String, rows: Range<Int>) {
    guard let weight = weight(name) else { preconditionFailure("no weight \(name)") }
    var values = parameters.values.values(weight.range)
    for i in rows.lowerBound * Self.width..<rows.upperBound * Self.width { values[i] = 0 }
    parameters.values.fill(weight.range, values)
  }

  /// Row i of the result: the layer's output for one sequence, residual and all.
  private func rows(_ x: [Float]) -> [[Float]] {
    let width = Self.width
    let ones = Tensor(shape: [width], [Float](repeating: 1, count: width))
    let zeros = Tensor(shape: [width], [Float](repeating: 0, count: width))
    let y = mixer(
      BranchInput(
        residual: Tensor(shape: [x.count / width, width], x),
        .byRow(Norm(scale: ones, shift: zeros))),
      .evaluation(PackedSequences(count: 1, length: x.count / width))
    ).values
    return stride(from: 0, to: y.count, by: width).map { Array(y[$0..<$0 + width]) }
  }

  /// Which rows a token changes, to the last bit: [i][j] tells whether token j changes row i.
  ///
  /// A token changes its own row by the residual; what it tells itself is not seen here.
  package func influence(length: Int) -> [[Bool]] {
    var random = RandomData("tokens")
    let x = random.floats(length * Self.width)
    let before = rows(x)
    var result = Array(repeating: Array(repeating: true, count: length), count: length)
    for j in 0..<length {
      var changed = x
      for c in 0..<Self.width { changed[j * Self.width + c] = x[c * length + j] + 0.5 }
      let after = rows(changed)
      for i in 0..<length { result[i][j] = i == j || after[i] != before[i] }
    }
    return result
  }
}
