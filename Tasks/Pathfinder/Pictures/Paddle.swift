// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A place in a picture, or the way from one to another.
struct Place: Hashable, Sendable {
  var row: Int
  var column: Int

  static func + (_ a: Place, _ b: Place) -> Place {
    Place(row: a.row + b.row, column: a.column + b.column)
  }

  /// The way of a given length in a direction, rounded up in both coordinates.
  ///
  /// - Parameter angle: radians; 0 leads to the right, π/2 down.
  init(_ length: Int, angle: Double) {
    // The original adds a coordinate before it rounds, which hides errors in the last place.
    func up(_ distance: Double) -> Int { Int((distance - 1e-9).rounded(.up)) }
    row = up(Double(length) * sin(angle))
    column = up(Double(length) * cos(angle))
  }

  init(row: Int, column: Int) { (self.row, self.column) = (row, column) }
}

/// The stroke that snakes consist of, in one direction: what it looks like, and where no other may
/// come.
///
/// Source: drewlinsley/pathfinder @ab9c130, snakes.py, `draw_line_n_mask`.
final class Paddle: Sendable {
  /// The start is in the middle of a square with this many pixels on each side of it.
  let reach: Int
  /// How much of each pixel is covered, up to 255.
  let pixels: [UInt8]
  /// The same with the margin around it.
  let mask: [UInt8]
  /// What must be free around a place so that a snake may begin there, relative to the place.
  let footprint: [Place]
  /// Whether a snake may begin in this direction at all.
  ///
  /// At a place whose footprint is wholly outside of the window the original looks for the greatest
  /// of no values, and then takes the whole window for full. So a footprint must reach into each
  /// quarter. It does where margins are wide; with a margin of 1 most distractors fail by this.
  let canBegin: Bool

  /// Draws a paddle.
  ///
  /// - Parameter tip: the end, in half pixels from the start.
  init(tip: Place, shape: PathfinderShape, margin: Int) {
    let reach = shape.paddleLength + Int(shape.thickness.rounded(.up)) + margin
    let fineness = PathfinderShape.fineness
    let line = FineLine(
      reach: reach * fineness, tip: tip,
      width: Int((shape.thickness * Double(fineness)).rounded()))
    let grown = line.grown(by: margin * fineness)
    let downscaled = Lanczos(from: line.side, to: 2 * reach + 1)
    let all = 0..<(2 * reach + 1)
    self.reach = reach
    pixels = downscaled(rows: all, columns: all) { line[$0, $1] }
    mask = downscaled(rows: all, columns: all) { grown[$0, $1] }
    footprint = Self.footprint(mask, reach: reach, within: shape.paddleLength + margin)
    canBegin = Self.reachesAround(footprint)
  }

  /// The original looks in a window that is smaller than the mask and one pixel off its middle.
  private static func footprint(_ mask: [UInt8], reach: Int, within: Int) -> [Place] {
    let side = 2 * reach + 1
    return mask.indices.filter { mask[$0] == 255 }
      .map { Place(row: $0 / side - reach + 1, column: $0 % side - reach + 1) }
      .filter { abs($0.row) <= within && abs($0.column) <= within }
  }

  /// Whether some place lies in each of the four directions, or on the axis between two.
  private static func reachesAround(_ footprint: [Place]) -> Bool {
    for (down, right) in [(1, 1), (1, -1), (-1, 1), (-1, -1)] {
      let reaches = footprint.contains { $0.row * down >= 0 && $0.column * right >= 0 }
      if !reaches { return false }
    }
    return true
  }
}

/// A line of half pixels from the middle of a square.
struct FineLine {
  let side: Int
  private var lit: [Bool]

  private init(side: Int) {
    self.side = side
    lit = [Bool](repeating: false, count: side * side)
  }

  /// Draws as Pillow's `ImageDraw.line` does it, to the pixel.
  ///
  /// - Parameters:
  ///   - reach: half the side, without the middle.
  ///   - tip: from the middle.
  init(reach: Int, tip: Place, width: Int) {
    self.init(side: 2 * reach + 1)
    if width == 1 { drawThin(to: tip, reach) } else { drawWide(to: tip, reach, width) }
  }

  subscript(row: Int, column: Int) -> Bool { lit[row * side + column] }

  /// With all that is within a distance of it.
  func grown(by radius: Int) -> FineLine {
    var result = FineLine(side: side)
    for place in lit.indices where lit[place] {
      for (row, column) in disc(radius) {
        let (row, column) = (place / side + row, place % side + column)
        guard (0..<side).contains(row), (0..<side).contains(column) else { continue }
        result.lit[row * side + column] = true
      }
    }
    return result
  }

  private func disc(_ radius: Int) -> [(Int, Int)] {
    (-radius...radius).flatMap { row in
      (-radius...radius).compactMap { column in
        row * row + column * column <= radius * radius ? (row, column) : nil
      }
    }
  }

  /// Bresenham's line.
  private mutating func drawThin(to tip: Place, _ middle: Int) {
    let (rows, columns) = (abs(tip.row), abs(tip.column))
    let (long, short) = (max(rows, columns), min(rows, columns))
    var (along, across, error) = (0, 0, 2 * short - long)
    while along <= long {
      let (row, column) = rows > columns ? (along, across) : (across, along)
      lit[(middle + row * tip.row.signum()) * side + middle + column * tip.column.signum()] = true
      if error >= 0 {
        across += 1
        error -= 2 * long
      }
      error += 2 * short
      along += 1
    }
  }

  /// A rectangle about the line, its corners rounded to pixels.
  private mutating func drawWide(to tip: Place, _ middle: Int, _ width: Int) {
    let length = hypot(Double(tip.row), Double(tip.column))
    let half = Double(width - 1) / 2
    let (most, least) = (nearestUp(half) / length, nearestDown(half) / length)
    let left = Int(nearestDown(least * Double(tip.row)))
    let right = Int(nearestDown(most * Double(tip.row)))
    let up = Int(nearestUp(least * Double(tip.column)))
    let down = Int(nearestUp(most * Double(tip.column)))
    let end = Place(row: middle, column: middle) + tip
    fill([
      Place(row: middle + down, column: middle - left),
      Place(row: end.row + down, column: end.column - left),
      Place(row: end.row - up, column: end.column + right),
      Place(row: middle - up, column: middle + right),
    ])
  }

  /// Lights the pixels of a convex shape.
  private mutating func fill(_ corners: [Place]) {
    let edges = zip(corners, corners.dropFirst() + corners.prefix(1))
    for row in 0..<side {
      let crossings = edges.flatMap { a, b -> [Double] in
        guard min(a.row, b.row) <= row && row <= max(a.row, b.row) else { return [] }
        if a.row == b.row { return [Double(a.column), Double(b.column)] }
        let slope = Double(b.column - a.column) / Double(b.row - a.row)
        return [Double(a.column) + Double(row - a.row) * slope]
      }
      guard let left = crossings.min(), let right = crossings.max() else { continue }
      let (first, last) = (max(0, Int(nearestUp(left))), min(side - 1, Int(nearestDown(right))))
      for column in stride(from: first, through: last, by: 1) { lit[row * side + column] = true }
    }
  }
}

/// The nearest whole number, halves away from zero.
private func nearestUp(_ x: Double) -> Double { x.rounded(.toNearestOrAwayFromZero) }

/// The nearest whole number, halves towards zero.
private func nearestDown(_ x: Double) -> Double {
  (abs(x) - 0.5).rounded(.up) * (x < 0 ? -1 : 1)
}
