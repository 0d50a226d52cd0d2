// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// Every variant, one line each.
package enum VariantCatalog {
  /// In the order in which they are listed.
  package static let all: [VariantEntry] = [
    VariantEntry(Transformer.self),
    VariantEntry(Local.self),
    VariantEntry(SparseTransformer.self),
    VariantEntry(Longformer.self),
    VariantEntry(BigBird.self),
    VariantEntry(Reformer.self),
    VariantEntry(Linformer.self),
    VariantEntry(LinearTransformer.self),
    VariantEntry(Performer.self),
    VariantEntry(CosFormer.self),
    VariantEntry(Nystromformer.self),
    VariantEntry(Luna.self),
    VariantEntry(Sinkhorn.self),
    VariantEntry(FNet.self),
    VariantEntry(S4D.self),
    VariantEntry(LRU.self),
    VariantEntry(Synthesizer.self),
    VariantEntry(LowRank.self),
  ]

  /// The variant with this name.
  ///
  /// - Throws: `UserError` naming the nearest ones.
  package static func named(_ name: String) throws -> VariantEntry {
    if let entry = all.first(where: { $0.name == name }) { return entry }
    throw UserError(
      .usage, "there is no model \"\(name)\"",
      remedy: remedy(unknown: name, among: all.map(\.name)))
  }
}
