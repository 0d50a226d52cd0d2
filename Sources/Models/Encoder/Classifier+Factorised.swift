// SPDX-License-Identifier: Apache-2.0

import Base

extension Classifier {
  /// This transformer with the matrices of its blocks replaced by their closest matrices of low rank,
  /// to be used as it is or trained further.
  ///
  /// ```
  /// W ≈ V·U      the largest singular values of W, their roots in both factors
  /// ```
  /// - Parameter options: of the model `lowrank`, which is the result; `start` has no effect.
  /// - Returns: a model with weights of its own.
  /// - Throws: `UserError` if this is not a transformer, or for options that do not exist.
  /// - Complexity: a singular value decomposition of every matrix.
  ///
  /// Source: Cahyawijaya, "Greenformers" (2021), arXiv 2108.10808.
  package func factorised(_ options: [String: Setting]) throws -> Classifier {
    guard configuration.name == Transformer.about.name else {
      throw UserError(
        .configuration, "\(configuration.name) cannot be factorised",
        remedy: "only a transformer's matrices can")
    }
    var narrow = configuration
    narrow.name = LowRank.about.name
    narrow.options = options.filter { $0.key != "start" }
    let result = try Classifier(narrow, seed: 0, precision: precision)
    for parameter in result.parameters.all {
      if let own = parameters[parameter.name] {
        result.parameters.values.fill(parameter.range, parameters.values.values(own.range))
      }
    }
    for reduce in result.parameters.all where reduce.name.hasSuffix(".reduce.weight") {
      let path = reduce.name.dropLast(".reduce.weight".count)
      guard let dense = parameters["\(path).weight"],
        let expand = result.parameters["\(path).expand.weight"]
      else { preconditionFailure("factorised: no weights for \(path)") }
      let factors = SingularValues(
        parameters.values.values(dense.range), rows: dense.shape[0], columns: dense.shape[1]
      ).factors(rank: reduce.shape[0])
      result.parameters.values.fill(reduce.range, factors.reduce)
      result.parameters.values.fill(expand.range, factors.expand)
    }
    return result
  }
}
