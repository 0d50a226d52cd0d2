// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The paddles of all directions that a snake can take, and what may follow each of them, worked out
/// once for all pictures with the same margin.
struct PaddleSet: Sendable {
  /// A direction of a snake, and the paddle that is drawn for it.
  struct Heading: Sendable {
    /// The paddle's place among `paddles`.
    let paddle: Int
    /// From a snake's pivot to that of the next paddle.
    let step: Place
    /// What may follow.
    let choices: [Choice]
  }

  /// A place of `ring` that may follow.
  struct Choice: Sendable {
    /// Its number in the ring.
    let number: Int
    let place: Place
    /// How likely it is if it is free; not normalised.
    let weight: Double
  }

  /// A direction in which a snake may begin.
  struct Beginning: Sendable {
    /// The paddle's place among `paddles`.
    let paddle: Int
    /// From the snake's first tip to the paddle's other end.
    let head: Place
    /// From the snake's first tip to its first pivot.
    let pivot: Place
  }

  let paddles: [Paddle]
  /// The directions in which snakes begin, whole degrees.
  let beginnings: [Beginning]
  /// First those of `beginnings`, then those of `ring`.
  let headings: [Heading]
  /// Where the next tip may be, from the pivot.
  let ring: [Place]

  init(_ shape: PathfinderShape, margin: Int) {
    let length = shape.paddleLength
    let ring = Self.circle(length + margin)
    let degrees = (-180..<180).map { Double($0) * .pi / 180 }
    let angles = degrees + ring.map { atan2(Double($0.row), Double($0.column)) }
    // A snake's first paddle is drawn from its tip on, the others from the tip back.
    let drawn = degrees + angles.dropFirst(degrees.count).map(Self.opposite)
    let tips = drawn.map { Place(length * PathfinderShape.fineness, angle: $0) }
    let distinct = Array(Set(tips)).sorted { ($0.row, $0.column) < ($1.row, $1.column) }
    let number = Dictionary(uniqueKeysWithValues: zip(distinct, distinct.indices))
    paddles = distinct.map { Paddle(tip: $0, shape: shape, margin: margin) }
    headings = zip(angles, tips).map { angle, tip in
      Heading(
        paddle: number[tip] ?? 0, step: Place(length + 2 * margin, angle: angle),
        choices: zip(ring.indices, ring).map { number, place in
          Choice(
            number: number, place: place,
            weight: Self.weight(
              from: angle, to: angles[degrees.count + number], shape.continuity))
        }.filter { $0.weight > 0 })
    }
    beginnings = zip(degrees, tips).map { angle, tip in
      let head = Place(length, angle: angle)
      return Beginning(
        paddle: number[tip] ?? 0, head: head,
        pivot: head + Place(length + margin, angle: Self.opposite(angle)))
    }
    self.ring = ring
  }

  private static func opposite(_ angle: Double) -> Double {
    angle < 0 ? angle + .pi : angle - .pi
  }

  /// The pixels of a circle about a pixel, by rows.
  private static func circle(_ radius: Int) -> [Place] {
    let step = 1 / Double(radius)  // a pixel of the arc
    let places = stride(from: 0, to: 2 * Double.pi, by: step).map { angle in
      Place(
        row: Int((Double(radius) * sin(angle)).rounded(.down)),
        column: Int((Double(radius) * cos(angle)).rounded(.down)))
    }
    return Array(Set(places)).sorted { ($0.row, $0.column) < ($1.row, $1.column) }
  }

  /// The square of the cosine of the turn, magnified; nothing beyond a right angle.
  private static func weight(from last: Double, to next: Double, _ continuity: Double) -> Double {
    let difference = abs(next - last)
    let turn = min(difference, 2 * .pi - difference) * continuity
    let cosine = cos(min(turn, .pi / 2))
    return cosine * cosine
  }
}
