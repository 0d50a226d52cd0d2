// SPDX-License-Identifier: Apache-2.0

/// Which keys each query of one sequence attends to, where that is not all of them.
///
/// Keys come in lists of positions, and groups of queries are connected to parts of these lists.
/// What a query sees is everything it is connected to: one softmax goes over all of it. A key that
/// a query is connected to twice counts twice; a query that sees nothing becomes zero; keys that
/// nobody sees get no gradient.
///
/// A list is packed once and serves any number of queries. It begins at a panel of 32 keys, so
/// lists of a multiple of 32 keys, and parts that begin at one, waste nothing. Positions may come
/// in any order; neighbouring ones in ascending order are the fastest.
package struct AttentionPattern: Sendable {
  /// A list of key positions.
  package struct KeyList: Sendable {
    fileprivate let index: Int
    /// The number of positions.
    package let count: Int
  }

  /// Which pairs of a query and a key count, by the key's position minus the query's.
  package enum Rule: Sendable, Equatable {
    /// Every pair.
    case all
    /// Only differences in this range.
    case inside(ClosedRange<Int>)
    /// Only differences out of this range.
    case outside(ClosedRange<Int>)
  }

  /// Keys that a group of queries attends to.
  package struct Link: Sendable {
    fileprivate let list: KeyList
    fileprivate let part: Range<Int>
    fileprivate let rule: Rule

    /// - Parameters:
    ///   - part: indices into the list; nil means all of it.
    package init(_ list: KeyList, part: Range<Int>? = nil, rule: Rule = .all) {
      self.list = list
      self.part = part ?? 0..<list.count
      self.rule = rule
      precondition(
        self.part.lowerBound >= 0 && self.part.upperBound <= list.count,
        "attention pattern: keys \(self.part) of a list of \(list.count)")
    }
  }

  /// Where the positions of a list lie among the slots.
  struct List {
    /// The first is a multiple of the panels' width.
    let slots: Range<Int>
    let span: ClosedRange<Int>
    /// Whether neighbouring slots are neighbouring positions.
    let isContiguous: Bool
    /// From a slot to its position; if the list is not contiguous, to its place among the slots of
    /// such lists.
    let shift: Int
  }

  /// At most ``tileRows`` queries that see the same lists.
  struct Tile {
    /// Indices into the round's queries.
    let queries: Range<Int>
    let span: ClosedRange<Int>
    /// Indices into the round's steps.
    let steps: Range<Int>
  }

  /// Keys that the queries of a tile see.
  struct Step {
    let list: Int
    let slots: Range<Int>
    let rule: Rule
  }

  /// Groups of queries in which no query occurs twice.
  struct Round {
    /// Positions, as the lanes of the mask take them.
    var queries: [Float] = []
    var tiles: [Tile] = []
    var steps: [Step] = []
    fileprivate var isTaken: [Bool]
  }

  let queryCount: Int
  let keyCount: Int
  private(set) var lists: [List] = []
  /// Key positions of all lists, each list filled up to whole panels with -1.
  private(set) var slots: [Float] = []
  /// The number of keys in lists that are not contiguous.
  private(set) var scatteredSlots = 0
  private(set) var rounds: [Round] = []
  /// Pairs of a query and a key that count, for one head.
  ///
  /// Where the keys' positions are not contiguous, the pairs that a rule leaves out count too.
  private(set) var pairs = 0
  /// Lets keys that a query is connected to several times count once, if it is there.
  var repeats: Repeats?

  /// Nobody sees anything.
  ///
  /// - Precondition: counts below 2²³: positions are kept as floats.
  package init(queries: Int, keys: Int) {
    precondition(
      max(queries, keys) < 1 << 23, "attention pattern: \(queries) × \(keys) is too long")
    queryCount = queries
    keyCount = keys
  }

  /// Nobody sees anything in a sequence of this length.
  package init(length: Int) { self.init(queries: length, keys: length) }

  /// Every query sees every key.
  static func full(queries: Int, keys: Int) -> AttentionPattern {
    var pattern = AttentionPattern(queries: queries, keys: keys)
    let all = pattern.list(0..<keys)
    pattern.connect(0..<queries, to: [Link(all)])
    return pattern
  }

  /// Adds a list of neighbouring keys.
  package mutating func list(_ keys: Range<Int>) -> KeyList { list(Array(keys)) }

  /// Adds a list of keys, which may stand in any order.
  package mutating func list(_ keys: [Int]) -> KeyList {
    let (least, greatest) = (keys.min() ?? 0, keys.max() ?? 0)
    precondition(
      least >= 0 && greatest < max(keyCount, 1),
      "attention pattern: keys \(least)...\(greatest) of \(keyCount)")
    let first = slots.count
    slots += keys.map(Float.init)
    slots += [Float](
      repeating: -1, count: Panels.count(keys.count) * Panels.width - keys.count)
    let isContiguous = keys.indices.allSatisfy { keys[$0] == least + $0 }
    lists.append(
      List(
        slots: first..<first + keys.count, span: least...greatest, isContiguous: isContiguous,
        shift: (isContiguous ? least : scatteredSlots) - first))
    if !isContiguous { scatteredSlots += keys.count }
    return KeyList(index: lists.count - 1, count: keys.count)
  }

  /// Lets neighbouring queries see keys.
  package mutating func connect(_ queries: Range<Int>, to links: [Link]) {
    connect(Array(queries), to: links)
  }

  /// Lets queries, which may stand in any order, see keys; what they saw before they still see.
  ///
  /// - Precondition: no query occurs twice.
  package mutating func connect(_ queries: [Int], to links: [Link]) {
    let index = freeRound(for: queries)
    for first in stride(from: 0, to: queries.count, by: tileRows) {
      let tile = queries[first..<min(queries.count, first + tileRows)]
      guard let least = tile.min(), let greatest = tile.max() else { continue }
      let before = rounds[index].steps.count
      for link in links { add(link, tile, least...greatest, round: index) }
      let row = rounds[index].queries.count
      rounds[index].queries += tile.map(Float.init)
      rounds[index].tiles.append(
        Tile(
          queries: row..<row + tile.count, span: least...greatest,
          steps: before..<rounds[index].steps.count))
    }
  }

  /// The first round in which none of the queries occurs yet.
  private mutating func freeRound(for queries: [Int]) -> Int {
    let found = rounds.firstIndex { round in queries.allSatisfy { !round.isTaken[$0] } }
    let index = found ?? rounds.count
    if found == nil { rounds.append(Round(isTaken: Array(repeating: false, count: queryCount))) }
    for query in queries {
      precondition(
        !rounds[index].isTaken[query], "attention pattern: query \(query) stands there twice")
      rounds[index].isTaken[query] = true
    }
    return index
  }

  private mutating func add(
    _ link: Link, _ queries: ArraySlice<Int>, _ span: ClosedRange<Int>, round: Int
  ) {
    let list = lists[link.list.index]
    var slots =
      list.slots.lowerBound + link.part.lowerBound..<list.slots.lowerBound + link.part.upperBound
    var keys = list.span
    if list.isContiguous {
      if case .inside(let band) = link.rule {
        let seen =
          span.lowerBound + band.lowerBound - list.shift..<span.upperBound + band.upperBound
          - list.shift + 1
        slots = slots.clamped(to: seen)
      }
      guard !slots.isEmpty else { return }
      keys = slots.lowerBound + list.shift...slots.upperBound - 1 + list.shift
    }
    let reach = link.rule.reach(span, keys)
    guard !slots.isEmpty && reach != .none else { return }
    rounds[round].steps.append(
      Step(list: link.list.index, slots: slots, rule: reach == .every ? .all : link.rule))
    pairs += queries.count * slots.count
    if list.isContiguous && reach == .some {
      for query in queries { pairs -= link.rule.excluded(query, keys) }
    }
  }

  /// Queries that do not occur in the first round.
  var uncovered: [Int] {
    guard let first = rounds.first else { return Array(0..<queryCount) }
    return first.queries.count == queryCount ? [] : (0..<queryCount).filter { !first.isTaken[$0] }
  }
}

extension AttentionPattern.Rule {
  /// How many pairs of two sets a rule lets through.
  enum Reach { case none, some, every }

  /// What the rule does to queries and keys between these positions.
  func reach(_ queries: ClosedRange<Int>, _ keys: ClosedRange<Int>) -> Reach {
    let differences =
      keys.lowerBound - queries.upperBound...keys.upperBound - queries.lowerBound
    return switch self {
    case .all: .every
    case .inside(let band):
      band.lowerBound <= differences.lowerBound && differences.upperBound <= band.upperBound
        ? .every : band.overlaps(differences) ? .some : .none
    case .outside(let band):
      band.lowerBound <= differences.lowerBound && differences.upperBound <= band.upperBound
        ? .none : band.overlaps(differences) ? .some : .every
    }
  }

  /// How many of all keys between two positions the rule hides from a query.
  func excluded(_ query: Int, _ keys: ClosedRange<Int>) -> Int {
    func common(_ band: ClosedRange<Int>) -> Int {
      max(
        0,
        min(keys.upperBound, query + band.upperBound)
          - max(keys.lowerBound, query + band.lowerBound) + 1)
    }
    return switch self {
    case .all: 0
    case .inside(let band): keys.count - common(band)
    case .outside(let band): common(band)
    }
  }
}
