// SPDX-License-Identifier: Apache-2.0

import Autodiff

/// What linear maps take: Σ x·xᵀ over all rows x that pass.
package final class CovarianceProbe: BranchObserver {
  private let wanted: (String) -> Bool
  /// Σ x·xᵀ of each map, [inputs × inputs], by its path.
  package private(set) var sums: [String: [Double]] = [:]

  /// - Parameter wanted: whether the rows of a map are looked at.
  package init(of wanted: @escaping (String) -> Bool) { self.wanted = wanted }

  package func sees(_ rows: Tensor, of maps: [String]) {
    let maps = maps.filter(wanted)
    guard !maps.isEmpty else { return }
    let columns = transposed(rows.detached)
    let products = linear(columns, weight: columns).values
    for map in maps {
      var sum = sums[map] ?? [Double](repeating: 0, count: products.count)
      for i in products.indices { sum[i] += Double(products[i]) }
      sums[map] = sum
    }
  }
}
