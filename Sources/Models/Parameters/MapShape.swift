// SPDX-License-Identifier: Apache-2.0

/// A linear map of a block as ``Parameters`` know it.
package struct MapShape: Sendable, Equatable {
  /// Its name, as `model.ranks` has it.
  package let path: String
  /// Rows of W.
  package let outputs: Int
  /// Columns of W.
  package let inputs: Int
  /// r of W = V·U; nil where W is one dense matrix.
  package let rank: Int?

  /// A map of this shape.
  package init(path: String, outputs: Int, inputs: Int, rank: Int?) {
    (self.path, self.outputs, self.inputs, self.rank) = (path, outputs, inputs, rank)
  }

  /// The rank from which on two narrow matrices have no fewer values than W.
  package var limit: Int { LowRankMap.limit(inputs, outputs) }
}

/// Which linear maps are products of two narrow ones, and how these begin.
struct MapRanks {
  var start = LowRankMap.Start.random
  /// r of the map of a path, nil where it is dense.
  let rank: (String) -> Int?
}
