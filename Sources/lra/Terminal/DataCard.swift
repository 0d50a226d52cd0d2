// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Tasks

/// What a data set holds, for people and as JSON.
struct DataCard: Encodable {
  /// One split.
  struct Part: Encodable {
    let split: String
    let examples: Int
    /// Examples of each class.
    let labelCounts: [Int]
    /// Part of the most frequent class: what a constant answer reaches.
    let majorityShare: Double
    let shortest: Int
    let longest: Int
    let meanLength: Double
    /// Sequences by length, in equal steps from 0 to the task's greatest length.
    let lengthHistogram: [Int]
  }

  /// One decoded example.
  struct Example: Encodable {
    /// One text for each sequence.
    let sequences: [String]
    /// Lines for a terminal for each sequence, where the task draws its examples.
    let drawings: [String]
    let label: Int

    enum CodingKeys: CodingKey { case sequences, label }
  }

  let task: String
  let title: String
  let classes: Int
  let classNames: [String]
  /// Sequences of an example.
  let towers: Int
  let length: Int
  let contentHash: String
  let provenance: String
  let parts: [Part]
  /// Of the training split.
  let loading: LoadingSpeed?
  /// The first one of the training split.
  let firstExample: Example?

  private static let bars = 10

  /// Reads the whole data set.
  ///
  /// - Parameter inColor: whether the card goes to a terminal that knows colours.
  init(_ task: any ArenaTask, name: String, inColor: Bool) throws {
    self.task = name
    title = type(of: task).title
    (classes, classNames) = (task.classes, task.classNames)
    (towers, length) = (task.towers, task.length)
    contentHash = try task.contentHash()
    provenance = try task.provenance()
    parts = try Split.allCases.map { try Self.part($0, try task.examples($0), task) }
    let train = try task.examples(.train)
    loading = try LoadingSpeed(train, towers: task.towers)
    firstExample = try Self.example(0, train, task, inColor)
  }

  private static func part(
    _ split: Split, _ source: any ExampleSource, _ task: any ArenaTask
  ) throws -> Part {
    var (histogram, total) = ([Int](repeating: 0, count: bars), 0)
    var (shortest, longest) = (Int.max, 0)
    for example in 0..<source.count {
      for tower in 0..<task.towers {
        let length = try source.length(example, tower: tower)
        histogram[min(bars - 1, max(0, length - 1) * bars / task.length)] += 1
        (shortest, longest) = (min(shortest, length), max(longest, length))
        total += length
      }
    }
    return Part(
      split: split.rawValue, examples: source.count, labelCounts: source.labelCounts,
      majorityShare: majorityShare(source.labelCounts), shortest: min(shortest, longest),
      longest: longest, meanLength: Double(total) / Double(max(1, source.count * task.towers)),
      lengthHistogram: histogram)
  }

  private static func example(
    _ index: Int, _ source: any ExampleSource, _ task: any ArenaTask, _ inColor: Bool
  ) throws -> Example? {
    guard index < source.count else { return nil }
    let sequences = try (0..<task.towers).map { tower in
      var tokens: [Int32] = []
      try source.append(index, tower: tower, to: &tokens)
      return tokens
    }
    return Example(
      sequences: sequences.map(task.describe),
      drawings: sequences.compactMap { task.drawing($0, inColor: inColor) },
      label: source.label(index))
  }

  /// The card for people.
  var text: String {
    let sequences = towers == 1 ? "" : "\(towers) sequences of "
    var lines = ["\(title): \(classes) classes, \(sequences)up to \(length) tokens, \(provenance)"]
    lines += ["content \(contentHash)", "", countTable, ""]
    lines += ["Classes, share of examples", classTable, ""]
    if let train = parts.first { lines += [lengths(train), ""] }
    if let loading { lines += [loading.text, ""] }
    if let firstExample {
      lines.append("First training example, label \(name(of: firstExample.label))")
      lines += Self.shown(firstExample).map { "  \($0)" }
    }
    return lines.joined(separator: "\n")
  }

  /// The number of a class, with its name where that is another one.
  private func name(of label: Int) -> String {
    classNames[label] == "\(label)" ? "\(label)" : "\(label) \(classNames[label])"
  }

  /// An example line by line.
  private static func shown(_ example: Example) -> [String] {
    example.drawings.isEmpty
      ? example.sequences.map(shortened)
      : example.drawings.flatMap { $0.split(separator: "\n").map(String.init) }
  }

  private var countTable: String {
    let heading = ["split", "examples", "shortest", "mean", "longest"]
    return formatTable(
      [heading]
        + parts.map {
          [
            $0.split, formatCount($0.examples), "\($0.shortest)",
            String(format: "%.0f", $0.meanLength), "\($0.longest)",
          ]
        })
  }

  private var classTable: String {
    let heading = ["class"] + parts.map(\.split)
    let rows = (0..<classes).map { label in
      [name(of: label)]
        + parts.map { formatPercent(Double($0.labelCounts[label]) / Double(max(1, $0.examples))) }
    }
    let majority = ["always the same"] + parts.map { formatPercent($0.majorityShare) }
    return formatTable([heading] + rows + [majority])
  }

  private func lengths(_ part: Part) -> String {
    part.shortest == part.longest
      ? "Lengths in tokens, \(part.split): all \(part.longest)"
      : "Lengths in tokens, \(part.split)\n\(bars(part))"
  }

  private func bars(_ part: Part) -> String {
    let most = max(1, part.lengthHistogram.max() ?? 1)
    return part.lengthHistogram.enumerated().map { bar, count in
      let range = "\(bar * length / Self.bars + 1)...\((bar + 1) * length / Self.bars)"
      let width = (count * 40 + most - 1) / most
      return formatRow(
        [range, formatCount(count)], widths: [11, 9], leading: 1)
        + (width > 0 ? "  " + String(repeating: "#", count: width) : "")
    }.joined(separator: "\n")
  }

  private static func shortened(_ text: String) -> String {
    text.count <= 300 ? text : "\(text.prefix(300)) …"
  }
}
