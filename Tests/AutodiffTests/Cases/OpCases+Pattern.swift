// SPDX-License-Identifier: Apache-2.0

import Autodiff
import TestSupport

/// A pattern in words: who sees what, one connection after the other.
struct Connection: Sendable {
  /// Keys of a list, of which `part` counts.
  struct Link: Sendable {
    let list: [Int]
    let part: Range<Int>
    let rule: AttentionPattern.Rule

    init(_ list: [Int], part: Range<Int>? = nil, rule: AttentionPattern.Rule = .all) {
      self.list = list
      self.part = part ?? 0..<list.count
      self.rule = rule
    }

    /// How often the query sees the key through this link.
    func count(_ query: Int, _ key: Int) -> Int {
      let counts =
        switch rule {
        case .all: true
        case .inside(let band): band.contains(key - query)
        case .outside(let band): !band.contains(key - query)
        }
      return counts ? list[part].count { $0 == key } : 0
    }
  }

  let queries: [Int]
  let links: [Link]

  init(_ queries: [Int], _ links: Link...) {
    self.queries = queries
    self.links = links
  }

  /// The same for the engine.
  static func pattern(_ connections: [Connection], length: Int) -> AttentionPattern {
    var pattern = AttentionPattern(length: length)
    for connection in connections {
      let links = connection.links.map {
        AttentionPattern.Link(pattern.list($0.list), part: $0.part, rule: $0.rule)
      }
      pattern.connect(connection.queries, to: links)
    }
    return pattern
  }

  /// The same as a matrix: how often each query, a row, sees each key.
  static func counts(_ connections: [Connection], length: Int) -> [[Int]] {
    var counts = Array(repeating: Array(repeating: 0, count: length), count: length)
    for connection in connections {
      for query in connection.queries {
        for link in connection.links {
          for key in Set(link.list[link.part]) { counts[query][key] += link.count(query, key) }
        }
      }
    }
    return counts
  }
}

/// The first rows of sequences, and attention that leaves pairs out: with parts of lists that begin and end inside panels and tiles,
/// lists in any order, queries in several rounds, and queries and keys that nobody sees.
extension OpCases {
  /// Who sees what in a sequence of this length, seen from this head.
  typealias Picture = @Sendable (_ length: Int, _ head: Int) -> [Connection]

  static let patterns: [OpCase] = [
    pattern("everything", [17, 1, 130], heads: 2, width: 16, everything),
    pattern("blocks of 50", [130, 50, 15], heads: 1, width: 32, blocks(50)),
    pattern("blocks of 17", [65, 1, 33], heads: 3, width: 24, blocks(17), .separate, rate: 0.2),
    pattern("band", [300, 1, 70], heads: 2, width: 16, band(-20...33)),
    pattern("later keys only", [33, 130], heads: 1, width: 64, band(3...200)),
    pattern("all but a band", [200, 64, 2], heads: 2, width: 16, outside, rate: 0.3),
    pattern("band and ends", [259, 33, 5], heads: 1, width: 33, bandAndEnds, range: -4...4),
    pattern("columns", [130, 17, 65], heads: 2, width: 16, columns, rate: 0.1),
    pattern("shuffled", [131, 0, 15, 1], heads: 2, width: 16, shuffled, range: -4...4),
    pattern("shuffled", [201], heads: 2, width: 32, shuffled, rate: 0.2, capacity: 5000),
    pattern("columns", [300], heads: 1, width: 16, columns, .separate, capacity: 9000),
    pattern("nothing", [15, 3], heads: 1, width: 16, nothing),
    pattern("little", [65, 2, 17], heads: 2, width: 15, little),
  ]

  static let nothing: Picture = { _, _ in [] }

  static let everything: Picture = { n, _ in
    [Connection(Array(0..<n), .init(Array(0..<n)))]
  }

  /// Blocks, of which every head also sees another one, as far as there is one.
  static func blocks(_ size: Int) -> Picture {
    { n, head in
      stride(from: 0, to: n, by: size).map { first in
        let other = (first + (head + 1) * 2 * size) % (n + size)
        return Connection(
          Array(first..<min(n, first + size)), .init(Array(first..<min(n, first + size))),
          .init(Array(0..<n), part: min(n, other)..<min(n, other + size)))
      }
    }
  }

  static func band(_ band: ClosedRange<Int>) -> Picture {
    { n, _ in [Connection(Array(0..<n), .init(Array(0..<n), rule: .inside(band)))] }
  }

  static let outside: Picture = { n, head in
    [Connection(Array(0..<n), .init(Array(0..<n), rule: .outside(-head - 2...70)))]
  }

  /// A band, and the first keys where they are not in it; the first queries see nothing.
  static let bandAndEnds: Picture = { n, _ in
    [
      Connection(
        Array(min(n, 3)..<n), .init(Array(0..<n), rule: .inside(-40...40)),
        .init(Array(0..<n), part: 0..<min(n, 3), rule: .outside(-40...40)))
    ]
  }

  /// A narrow band, every seventh column, and for half of the queries both ends once more.
  static let columns: Picture = { n, head in
    [Connection(Array(0..<n), .init(Array(0..<n), rule: .inside(-3 - head...3)))]
      + (0..<7).map { residue in
        let column = Array(stride(from: residue, to: n, by: 7))
        return Connection(column, .init(column, rule: .outside(0...0)))
      } + [Connection(Array(0..<n / 2), .init([n - 1, 0]))]
  }

  /// Chunks of random orders, each with the chunk before it, around the end; two rounds, which see
  /// many pairs twice.
  static let shuffled: Picture = { n, head in
    (0..<2).flatMap { round in
      var random = RandomData("order \(n) \(head) \(round)")
      let keys = random.normals(n)
      let order = (0..<n).sorted { keys[$0] < keys[$1] }
      return stride(from: 0, to: n, by: 24).map { first in
        let chunk = first..<min(n, first + 24)
        let before = first == 0 ? max(24, n - 24)..<max(24, n) : first - 24..<first
        return Connection(
          Array(order[chunk]), .init(order, part: chunk, rule: .outside(0...0)),
          .init(order, part: before.clamped(to: 0..<n)))
      }
    }
  }

  /// One query that sees one key, one that its rule leaves nothing.
  static let little: Picture = { n, head in
    [
      Connection([n - 1], .init([head])), Connection([0], .init([0], rule: .outside(0...0))),
      Connection([n / 2], .init([], rule: .all)),
    ]
  }

  static func pattern(
    _ name: String, _ lengths: [Int], heads: Int, width: Int, _ picture: @escaping Picture,
    _ layout: Layout = .packed, rate: Float = 0, range: ClosedRange<Float> = -2...2,
    capacity: Int? = nil, precision: Precision = .fp32
  ) -> OpCase {
    let sequences = PackedSequences(offsets: offsets(lengths), capacity: capacity)
    let drop = DropoutOracle(rate: rate, key: 99 << 35, firstRow: 11)
    let pictures = lengths.flatMap { n in
      (0..<heads).map { (length: n, connections: n == 0 ? [] : picture(n, $0)) }
    }
    let patterns = pictures.map { Connection.pattern($0.connections, length: $0.length) }
    let counts = pictures.map { Connection.counts($0.connections, length: $0.length) }
    return OpCase(
      "pattern attention, \(name), \(lengths), \(heads) heads of \(width), \(layout), "
        + "dropout \(rate)\(suffix(precision))",
      profiled: "pattern attention",
      inputs(sequences.rows, sequences.rows, heads * width, layout, range)
    ) { x in
      let (q, k, v) = views(x, heads, width, layout)
      return patternAttention(
        query: q, key: k, value: v, sequences: sequences, patterns: patterns,
        dropout: drop.dropout, precision: precision)
    } oracle: { x in
      let (q, k, v) = parts(x, heads * width, layout)
      return Oracle.patternAttention(
        q, k, v, heads: heads, offsets: sequences.offsets, drop: drop
      ) { counts[$0 * heads + $1][$2][$3] }
    }
  }

  static let leading: [OpCase] =
    [
      leadingRows([17, 1, 33], width: 15, count: 1), leadingRows([5, 0, 130], width: 33, count: 7),
    ] + [
      replacing([17, 1, 33], width: 15, count: 1), replacing([5, 0, 130], width: 33, count: 7),
    ]

  static func leadingRows(_ lengths: [Int], width: Int, count: Int) -> OpCase {
    let sequences = PackedSequences(offsets: offsets(lengths))
    let places = leadingPlaces(lengths, count)
    return OpCase(
      "leading \(count) rows of \(lengths), width \(width)", profiled: "leading rows",
      [.init(sequences.rows, width)]
    ) {
      Autodiff.leadingRows($0[0], sequences: sequences, leading: sequences.leading(count))
    } oracle: { x in
      Matrix(places.count, width) { x[0][places[$0], $1] }
    }
  }

  static func replacing(_ lengths: [Int], width: Int, count: Int) -> OpCase {
    let sequences = PackedSequences(offsets: offsets(lengths))
    let places = leadingPlaces(lengths, count)
    return OpCase(
      "replacing leading \(count) rows of \(lengths), width \(width)",
      profiled: "replacing leading rows",
      [.init(sequences.rows, width), .init(places.count, width)]
    ) {
      replacingLeadingRows(
        $0[0], with: $0[1], sequences: sequences, leading: sequences.leading(count))
    } oracle: { x in
      Matrix(sequences.rows, width) { row, column in
        places.firstIndex(of: row).map { x[1][$0, column] } ?? x[0][row, column]
      }
    }
  }

  private static func leadingPlaces(_ lengths: [Int], _ count: Int) -> [Int] {
    zip(offsets(lengths), lengths).flatMap { Array($0..<$0 + min(count, $1)) }
  }
}
