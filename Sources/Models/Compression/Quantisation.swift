// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

/// What of a model is signed bytes.
package enum Quantisation: String, SettingChoice {
  /// Nothing.
  case none
  /// Matrices and tables in the file: a byte each number, a scale each row.
  case weights
  /// These, and the products of linear maps: the rows that a map takes become bytes too, with a scale each.
  case int8
}

extension Classifier {
  /// This model with the numbers of its matrices and tables rounded to bytes.
  ///
  /// - Throws: `UserError` where the products cannot be of bytes.
  package func quantised(_ kind: Quantisation) throws -> Classifier {
    var smaller = configuration
    smaller.settings.quantised = kind
    let result = try Classifier(
      smaller, seed: 0, precision: roundsToBytes ? .fp32 : precision)
    let names = result.quantisedNames
    for target in result.parameters.all {
      guard let source = parameters[target.name] else {
        preconditionFailure("quantised: no weight \(target.name)")
      }
      let values = source.values
      result.parameters.values.fill(
        target.range,
        names.contains(target.name)
          ? ByteRows(values, rows: source.shape[0]).values : values)
    }
    return result
  }

  /// The weights that are bytes in a file.
  var quantisedNames: Set<String> { configuration.quantised == .none ? [] : namesOfBytes }

  /// The weights that can be bytes: matrices and tables, but not those of the classifier's head, of
  /// convolutions and recurrences, nor what is not trained.
  var namesOfBytes: Set<String> {
    let isRecurrent =
      (try? VariantCatalog.named(configuration.name))?.about.parts.contains(.recurrence) ?? false
    return Set(
      parameters.ofModel.filter { parameter in
        let words = parameter.name.split(separator: ".")
        guard parameter.shape.count == 2, parameter.group == .ordinary,
          !["head", "exits"].contains(words[0]),
          !words.contains("conv")
        else { return false }
        return !isRecurrent || !words.contains("mixer") || words.contains("gate")
      }.map(\.name))
  }
}
