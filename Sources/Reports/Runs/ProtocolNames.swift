// SPDX-License-Identifier: Apache-2.0

import Base

/// Headings for protocols that stand in one report: task and `RunConditions.name`, and where several
/// share these, as much of what parts them as tells them apart.
struct ProtocolNames {
  private let names: [RunConditions: String]

  /// Names protocols.
  init(_ protocols: [RunConditions]) {
    let known = Set(protocols)
    var names = Dictionary(uniqueKeysWithValues: known.map { ($0, "\($0.task), \($0.name)") })
    for detail in Self.details {
      for alike in Dictionary(grouping: known, by: { names[$0] ?? "" }).values {
        let texts = alike.map { detail($0, alike) }
        guard Set(texts).count > 1 else { continue }
        for (each, text) in zip(alike, texts) where !text.isEmpty {
          names[each, default: ""] += ", \(text)"
        }
      }
    }
    self.names = names
  }

  /// The heading of one of the protocols.
  subscript(_ conditions: RunConditions) -> String { names[conditions] ?? conditions.name }

  /// What may part a protocol from others of its task, preset and length, what says most first.
  private static let details: [@Sendable (RunConditions, [RunConditions]) -> String] = [
    { each, _ in "\(formatCount(each.trainCount)) training examples" },
    { each, _ in "chosen on " + (each.validation == "test" ? "the test split" : "validation") },
    { each, others in
      let shared = others.map { Set(parts($0.source)) }.reduce(Set(parts(each.source))) {
        $0.intersection($1)
      }
      return parts(each.source).filter { !shared.contains($0) }.joined(separator: ", ")
    },
    { each, _ in "\(formatCount(each.testCount)) test examples" },
    { each, _ in "data \(each.data.prefix(8))" },
  ]

  private static func parts(_ source: String) -> [String] {
    source.split(separator: ",").map { String($0.drop { $0 == " " }) }
  }
}
