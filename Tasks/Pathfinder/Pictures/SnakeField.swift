// SPDX-License-Identifier: Apache-2.0

import Base

/// A window in which snakes grow, paddle by paddle, without touching each other.
///
/// Source: drewlinsley/pathfinder @ab9c130, snakes.py and snakes2.py.
struct SnakeField {
  /// A paddle in its place.
  struct Stroke {
    let paddle: Int
    let place: Place
  }

  /// A snake that may still grow.
  struct Snake {
    /// About which the next tip is looked for.
    fileprivate(set) var pivot: Place
    fileprivate var heading: Int
    /// The latest paddle, which bars the way only when the next one is there.
    fileprivate(set) var last: Stroke
  }

  /// Tries for one paddle.
  private static let attempts = 3
  /// 0.3 of 255: what is less counts as free.
  private static let barrier: UInt8 = 76
  /// 1.8 of 255: two masks that add up to more collide.
  private static let collision = 459

  private let size: Int
  private let directions: PaddleSet
  /// All within the margin's distance from a place, as ways and as differences in `mask`.
  private let disc: [(place: Place, index: Int)]
  /// The rows and columns of which the disc lies in the window.
  private let inner: Range<Int>
  /// Where paddles and their margins are, up to 255.
  private var mask: [UInt8]
  private(set) var strokes: [Stroke] = []
  /// What the strokes' numbers mean.
  var paddles: [Paddle] { directions.paddles }

  /// An empty window with a frame that no paddle enters.
  init(_ shape: PathfinderShape, _ paddles: PaddleSet, margin: Int) {
    (size, directions) = (shape.size, paddles)
    disc = (-margin...margin).flatMap { row in
      (-margin...margin).filter { row * row + $0 * $0 <= margin * margin }.map { column in
        (Place(row: row, column: column), row * shape.size + column)
      }
    }
    inner = margin..<(shape.size - margin)
    mask = [UInt8](repeating: 0, count: shape.size * shape.size)
    let room = shape.frame..<(shape.size - shape.frame)
    for place in mask.indices
    where !room.contains(place / shape.size) || !room.contains(place % shape.size) {
      mask[place] = 255
    }
  }

  /// Begins a snake anywhere.
  ///
  /// - Parameter frame: the width of the border in which it must not begin.
  mutating func begin(frame: Int, _ random: inout RandomStream) -> (snake: Snake, tip: Place)? {
    for _ in 0..<Self.attempts {
      let heading = random.integer(below: directions.beginnings.count)
      guard paddles[directions.beginnings[heading].paddle].canBegin,
        let tip = freePlace(for: heading, frame: frame, &random)
      else { return nil }
      if let snake = begin(heading, at: tip) { return (snake, tip) }
    }
    return nil
  }

  /// Begins a snake at a place that is chosen anew for each attempt, whatever is there.
  mutating func begin(
    _ random: inout RandomStream, at place: (inout RandomStream) -> Place
  ) -> (snake: Snake, tip: Place)? {
    for _ in 0..<Self.attempts {
      let heading = random.integer(below: directions.beginnings.count)
      let tip = place(&random)
      if let snake = begin(heading, at: tip) { return (snake, tip) }
    }
    return nil
  }

  private mutating func begin(_ heading: Int, at tip: Place) -> Snake? {
    let beginning = directions.beginnings[heading]
    let pivot = tip + beginning.pivot
    guard contains(tip + beginning.head), contains(pivot) else { return nil }
    let stroke = Stroke(paddle: beginning.paddle, place: tip)
    strokes.append(stroke)
    return Snake(pivot: pivot, heading: heading, last: stroke)
  }

  /// Adds a paddle to a snake; false when there is no room.
  mutating func extend(_ snake: inout Snake, _ random: inout RandomStream) -> Bool {
    let heading = directions.headings[snake.heading]
    let pivot = snake.pivot + heading.step
    var (total, sums) = (0.0, [Double]())
    sums.reserveCapacity(heading.choices.count)
    for choice in heading.choices {
      total += choice.weight * freedom(pivot + choice.place)
      sums.append(total)
    }
    guard total >= 1e-4 else { return false }
    for _ in 0..<Self.attempts {
      let threshold = random.uniform() * total
      let choice = heading.choices[sums.firstIndex { $0 > threshold } ?? sums.count - 1]
      let next = directions.beginnings.count + choice.number
      let stroke = Stroke(
        paddle: directions.headings[next].paddle, place: pivot + choice.place)
      if collides(stroke) { continue }
      settle(snake)
      strokes.append(stroke)
      snake = Snake(pivot: pivot, heading: next, last: stroke)
      return true
    }
    return false
  }

  /// Lets a snake's latest paddle bar the way of others.
  mutating func settle(_ snake: Snake) {
    let paddle = paddles[snake.last.paddle]
    paddle.forEachPixel(at: snake.last.place, size: size) { place, pixel in
      mask[place] = max(mask[place], paddle.mask[pixel])
    }
  }

  /// The share of the window without paddles.
  var freeShare: Double {
    Double(mask.count { $0 <= Self.barrier }) / Double(mask.count)
  }

  // MARK: Places

  private func contains(_ place: Place) -> Bool {
    (0..<size).contains(place.row) && (0..<size).contains(place.column)
  }

  /// One of all places where a snake may begin in a direction; nil when there are none.
  private func freePlace(
    for heading: Int, frame: Int, _ random: inout RandomStream
  ) -> Place? {
    let paddle = paddles[directions.beginnings[heading].paddle]
    // Farther out than this, some of every footprint is in the frame.
    let (first, last) = (max(0, frame - paddle.reach), min(size, size - frame + paddle.reach))
    let side = last - first
    let place = { Place(row: first + $0 / side, column: first + $0 % side) }
    // Trying is faster than counting, and any free place is as likely.
    for _ in 0..<32 {
      let tried = place(random.integer(below: side * side))
      if isFree(tried, paddle.footprint, frame) { return tried }
    }
    let free = (0..<(side * side)).map(place).filter { isFree($0, paddle.footprint, frame) }
    return free.isEmpty ? nil : free[random.integer(below: free.count)]
  }

  /// Whether a footprint meets neither a mask nor the border; beyond the window it meets nothing.
  private func isFree(_ place: Place, _ footprint: [Place], _ frame: Int) -> Bool {
    let room = frame..<(size - frame)
    return footprint.allSatisfy { offset in
      let pixel = place + offset
      guard contains(pixel) else { return true }
      return room.contains(pixel.row) && room.contains(pixel.column)
        && mask[pixel.row * size + pixel.column] <= Self.barrier
    }
  }

  /// 1 for a place that is as far as the margin from all masks, 0 for one on a mask or outside.
  private func freedom(_ place: Place) -> Double {
    guard contains(place) else { return 0 }
    let index = place.row * size + place.column
    var highest: UInt8 = 0
    if inner.contains(place.row), inner.contains(place.column) {
      for offset in disc { highest = max(highest, mask[index + offset.index]) }
    } else {
      for offset in disc where contains(place + offset.place) {
        highest = max(highest, mask[index + offset.index])
      }
    }
    return 1 - Double(highest) / 255
  }

  private func collides(_ stroke: Stroke) -> Bool {
    let paddle = paddles[stroke.paddle]
    var highest = 0
    paddle.forEachPixel(at: stroke.place, size: size) { place, pixel in
      highest = max(highest, Int(mask[place]) + Int(paddle.mask[pixel]))
    }
    return highest >= Self.collision
  }
}

extension Paddle {
  /// Visits the pixels that lie in a window.
  ///
  /// - Parameter body: takes the place in the window and that in `pixels` and `mask`.
  func forEachPixel(at start: Place, size: Int, _ body: (_ place: Int, _ pixel: Int) -> Void) {
    let side = 2 * reach + 1
    let columns = max(0, start.column - reach)..<max(0, min(size, start.column + reach + 1))
    for row in max(0, start.row - reach)..<max(0, min(size, start.row + reach + 1)) {
      let pixels = (row - start.row + reach) * side - start.column + reach
      for column in columns { body(row * size + column, pixels + column) }
    }
  }
}
