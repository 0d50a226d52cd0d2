// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// Draws Pathfinder's pictures as the original does, but reproducibly: picture i comes from random
/// stream i, so any number of threads, and any choice of pictures, gives the same ones.
///
/// Two long snakes grow side by side, then short ones around them. Two discs mark the two ends of
/// one long snake (label 1), or an end of each (label 0).
///
/// Source: drewlinsley/pathfinder @ab9c130, snakes2.py (Linsley et al., "Learning long-range spatial
/// dependencies with horizontal gated recurrent units", NeurIPS 2018).
/// Differs: the original has no seed; random numbers are drawn in another order. Coordinates come
/// from the platform's sine, so a picture may differ between C libraries.
package struct PathfinderGenerator: Sendable {
  /// One example.
  package struct Picture: Sendable {
    /// Grey values, row by row.
    package let pixels: [UInt8]
    package let label: UInt8
    /// The gap between paddles, in pixels.
    package let margin: Int
  }

  /// Changes whenever the pictures change.
  package static let version = 1
  /// Tries for one distractor; without success it is left out.
  private static let distractorAttempts = 5
  /// Pixels of the pictures that a thread draws between two looks at the others.
  private static let chunkPixels = 250 << 10

  package let shape: PathfinderShape
  package let seed: UInt64
  /// A window without snakes for each margin.
  private let fields: [SnakeField]
  private let firstStream: UInt64
  private let lens: Lanczos

  package init(_ shape: PathfinderShape, seed: UInt64) {
    (self.shape, self.seed) = (shape, seed)
    fields = shape.margins.map { SnakeField(shape, PaddleSet(shape, margin: $0), margin: $0) }
    firstStream = fnv1a("pathfinder \(shape.size) \(shape.level)")
    lens = Lanczos(from: shape.size * PathfinderShape.fineness, to: shape.size)
  }

  /// One picture.
  ///
  /// - Parameter index: any number; equal numbers give equal pictures.
  package func picture(_ index: Int) -> Picture {
    var random = RandomStream(
      seed: seed, stream: firstStream &+ UInt64(truncatingIfNeeded: index))
    let label = random.integer(below: 2)
    let choice = random.integer(below: fields.count)
    var contours = targets(fields[choice], &random)
    let targetCount = contours.field.strokes.count
    for _ in 0..<shape.distractors { addDistractor(to: &contours.field, &random) }
    let origin = random.integer(below: 2)
    let terminal = label == 1 ? origin : 1 - origin
    var canvas = Canvas(shape.size)
    for (place, stroke) in contours.field.strokes.enumerated() {
      canvas.add(
        fields[choice].paddles[stroke.paddle], at: stroke.place,
        contrast: place < targetCount ? shape.targetContrast : shape.distractorContrast)
    }
    canvas.addDisc(at: contours.origins[origin], radius: shape.markerRadius, lens)
    canvas.addDisc(at: contours.ends[terminal], radius: shape.markerRadius, lens)
    return Picture(pixels: canvas.stretched(), label: UInt8(label), margin: shape.margins[choice])
  }

  // MARK: Snakes

  /// The two long snakes.
  private struct Contours {
    var field: SnakeField
    let origins: [Place]
    let ends: [Place]
  }

  /// Grows both long snakes; starts again whenever one has no room.
  private func targets(_ empty: SnakeField, _ random: inout RandomStream) -> Contours {
    while true {
      if let contours = attempt(empty, &random) { return contours }
    }
  }

  private func attempt(_ empty: SnakeField, _ random: inout RandomStream) -> Contours? {
    var field = empty
    guard let first = field.begin(frame: 2 * shape.seedDistance, &random),
      let second = field.begin(&random, at: { place(around: first.tip, &$0) })
    else { return nil }
    var (a, b) = (first.snake, second.snake)
    for _ in 1..<shape.contourLength {
      guard field.extend(&a, &random), field.extend(&b, &random) else { return nil }
    }
    // As in the original, the last paddle of the first snake does not bar the way of distractors.
    field.settle(b)
    return Contours(
      field: field, origins: [first.tip, second.tip], ends: [a.last.place, b.last.place])
  }

  private func place(around tip: Place, _ random: inout RandomStream) -> Place {
    let angle = Double(random.integer(below: 360)) * .pi / 180
    let distance = Double(shape.seedDistance)
    return tip
      + Place(
        row: Int((distance * sin(angle)).rounded()), column: Int((distance * cos(angle)).rounded()))
  }

  private func addDistractor(to field: inout SnakeField, _ random: inout RandomStream) {
    for _ in 0..<Self.distractorAttempts where field.freeShare >= 0.01 {
      var attempt = field
      if grow(shape.distractorLength, in: &attempt, &random) {
        field = attempt
        return
      }
    }
  }

  private func grow(
    _ length: Int, in field: inout SnakeField, _ random: inout RandomStream
  ) -> Bool {
    guard var (snake, _) = field.begin(frame: 1, &random) else { return false }
    for _ in 1..<length {
      guard field.extend(&snake, &random) else { return false }
    }
    field.settle(snake)
    return true
  }

  // MARK: Many pictures

  /// Several pictures in order, packed, some hundred at a time.
  ///
  /// - Parameters:
  ///   - workers: threads; any number gives the same pictures.
  ///   - body: given the next pictures.
  /// - Throws: what `body` throws, and `UserError(.stoppedEarly)` soon after a signal has asked to stop.
  package func draw(
    _ range: Range<Int>, workers: Int = usableCores, _ body: (PackedExamples) throws -> Void
  ) throws {
    let round = chunk * workers * 2
    for start in stride(from: range.lowerBound, to: range.upperBound, by: round) {
      for part in try parts(start..<min(start + round, range.upperBound), workers) {
        try body(part)
      }
    }
  }

  /// Some tenths of a second's pictures.
  private var chunk: Int { max(1, Self.chunkPixels / shape.pixels) }

  private func parts(_ range: Range<Int>, _ workers: Int) throws -> [PackedExamples] {
    let starts = Array(stride(from: range.lowerBound, to: range.upperBound, by: chunk))
    return try parallelMap(starts.count, workers: workers) { number in
      var part = PackedExamples(classes: 2)
      for index in starts[number]..<min(starts[number] + chunk, range.upperBound) {
        let picture = picture(index)
        part.append(ZeroRuns.coded(picture.pixels)[...], label: picture.label)
      }
      return part
    }
  }
}

/// A picture of which no pixel has its final value yet.
private struct Canvas {
  private let size: Int
  private var pixels: [Double]

  init(_ size: Int) {
    self.size = size
    pixels = [Double](repeating: 0, count: size * size)
  }

  /// Paints a paddle over what is darker.
  mutating func add(_ paddle: Paddle, at start: Place, contrast: Double) {
    paddle.forEachPixel(at: start, size: size) { place, pixel in
      pixels[place] = max(pixels[place], Double(paddle.pixels[pixel]) / 255 * contrast)
    }
  }

  /// Paints a disc over what is darker.
  mutating func addDisc(at center: Place, radius: Double, _ lens: Lanczos) {
    let fineness = PathfinderShape.fineness
    let square = (radius * Double(fineness)) * (radius * Double(fineness))
    let reach = Int(radius.rounded(.up)) + 3  // three more, as far as the lens reaches
    let rows = max(0, center.row - reach)..<min(size, center.row + reach + 1)
    let columns = max(0, center.column - reach)..<min(size, center.column + reach + 1)
    let disc = lens(rows: rows, columns: columns) { row, column in
      let (down, right) = (row - center.row * fineness, column - center.column * fineness)
      return Double(down * down + right * right) <= square
    }
    for (place, value) in disc.enumerated() {
      let row = rows.lowerBound + place / columns.count
      let pixel = row * size + columns.lowerBound + place % columns.count
      pixels[pixel] = max(pixels[pixel], Double(value) / 255)
    }
  }

  /// The grey values, with the brightest pixel white.
  func stretched() -> [UInt8] {
    let scale = 255 / (pixels.max() ?? 1)
    return pixels.map { UInt8($0 * scale + 0.5) }
  }
}
