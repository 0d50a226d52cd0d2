// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// How much the loss hangs on every head and every inner column of a model.
///
/// ```
/// I_u = Σₓ |∂Lₓ/∂ξ_u| = Σₓ |⟨O_u(x), ∂Lₓ/∂O_u⟩|      ξ_u = 1 multiplies unit u, O_u is its output
/// ```
/// The absolute value is inside the sum over examples: contributions of both signs would cancel. Units
/// can be masked, to see the loss and the importance of the others without them.
///
/// Source: Michel, Levy and Neubig, "Are Sixteen Heads Really Better than One?" (2019),
/// arXiv 1905.10650, section 4.1.
package final class ImportanceProbe: BranchObserver {
  private let towers: Int
  private let masks: [String: [Bool]]
  /// I of the units of each branch, by the branch's name, as `blocks.0.mixer`.
  package private(set) var sums: [String: [Double]] = [:]

  /// - Parameters:
  ///   - towers: sequences of one example.
  ///   - masks: whether each unit of a branch stays; a branch without one is whole.
  package init(towers: Int = 1, masks: [String: [Bool]] = [:]) {
    self.towers = towers
    self.masks = masks
  }

  package func units(
    _ rows: Tensor, of place: String, width: Int, _ sequences: PackedSequences
  ) -> Tensor {
    var rows = rows
    if let mask = masks[place] {
      let scales = mask.flatMap { [Float](repeating: $0 ? 1 : 0, count: width) }
      rows = scaledColumns(rows, scales: Tensor(shape: [scales.count], scales))
    }
    let units = rows.columns / width
    return unitProducts(rows, sequences: sequences, width: width) { [self] products in
      add(products, of: place, units: units)
    }
  }

  private func add(_ products: [Double], of place: String, units: Int) {
    var sums = self.sums[place] ?? [Double](repeating: 0, count: units)
    let example = towers * units
    for first in stride(from: 0, to: products.count, by: example) {
      for unit in 0..<units {
        sums[unit] += abs(
          (0..<towers).reduce(0.0) { $0 + products[first + $1 * units + unit] })
      }
    }
    self.sums[place] = sums
  }
}
