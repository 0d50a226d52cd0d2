// SPDX-License-Identifier: Apache-2.0

import Base

/// Headings for protocols that stand in one report, as `Text, 1,024 bytes, small, 136 steps, n = 1`, and
/// where several share these, as much of what parts them as tells them apart.
struct ProtocolNames {
  private let names: [RunConditions: String]

  /// Names the protocols of groups.
  init(_ groups: [SeedGroup]) {
    let protocols = Dictionary(grouping: groups, by: \.conditions)
    let known = Set(protocols.keys)
    var names = protocols.mapValues(Self.heading)
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
  subscript(_ conditions: RunConditions) -> String { names[conditions] ?? conditions.taskTitle }

  private static func heading(_ groups: [SeedGroup]) -> String {
    guard let conditions = groups.first?.conditions else { return "" }
    let steps = groups.map(\.steps)
    let taken = (steps.map(\.lowerBound).min() ?? 0)...(steps.map(\.upperBound).max() ?? 0)
    let seeds = groups.map(\.count)
    return [
      conditions.taskTitle, conditions.lengthText, conditions.preset,
      conditions.pretraining, conditions.hasOwnSteps ? "\(rangeText(taken)) steps" : "",
      "n = " + rangeText((seeds.min() ?? 0)...(seeds.max() ?? 0)),
    ].filter { !$0.isEmpty }.joined(separator: ", ")
  }

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
