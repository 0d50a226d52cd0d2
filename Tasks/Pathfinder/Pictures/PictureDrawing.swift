// SPDX-License-Identifier: Apache-2.0

import Base

/// Draws the pictures of one split into its prepared file, from where an earlier drawing was ended.
///
/// Every picture is a function of the seed and its number, so the file has the same bytes as one that
/// was drawn in one go.
package struct PictureDrawing {
  let generator: PathfinderGenerator
  /// The numbers of the pictures, as the generator counts.
  let numbers: Range<Int>
  /// What the pictures are called in reports.
  let name: String
  let file: PreparedSplit
  /// Pictures that a process which is killed may lose.
  var step = 50_000

  /// - Parameter path: of the prepared file.
  package init(
    _ generator: PathfinderGenerator, _ numbers: Range<Int>, name: String, path: String,
    metadata: [String: String]
  ) {
    (self.generator, self.numbers, self.name) = (generator, numbers, name)
    file = PreparedSplit(path: path, metadata: metadata)
  }

  /// All pictures.
  ///
  /// - Parameters:
  ///   - report: told how many are done, about once a second.
  ///   - check: asked after some hundred pictures; what it throws ends the drawing.
  /// - Throws: `UserError(.stoppedEarly)` soon after a signal has asked to stop, when the pictures so
  ///   far are kept; `UserError(.cannotWrite)` for the file.
  package func run(
    report: (String) -> Void, check: () throws -> Void = Interrupts.check
  ) throws -> PackedExamples {
    var drawn = earlier(report)
    var kept = drawn.count
    var lastReport = ContinuousClock.now
    do {
      try generator.draw(numbers.dropFirst(kept)) { pictures in
        drawn.append(pictures)
        if drawn.count - kept >= step { keep(drawn, from: &kept, report) }
        try check()
        guard lastReport.duration(to: .now) > .seconds(1) else { return }
        lastReport = .now
        report("generated \(drawn.count) of \(numbers.count) \(name) pictures")
      }
    } catch {
      keep(drawn, from: &kept, report)
      throw error
    }
    report("writing \(file.path)")
    try file.write(drawn)
    parts.remove()
    return drawn
  }

  private var parts: PreparedParts { PreparedParts(split: file) }

  /// The pictures that earlier drawings have kept.
  private func earlier(_ report: (String) -> Void) -> PackedExamples {
    var drawn = PackedExamples(classes: 2)
    for range in parts.ranges where range.lowerBound == drawn.count {
      let part = PathfinderPictures.kept(
        parts.part(range), count: range.count, pixels: generator.shape.pixels,
        "generating them again", report)
      if let part { drawn.append(part) }
    }
    let begin = "generating \(numbers.count) \(name) pictures, seed \(generator.seed)"
    report(drawn.count == 0 ? begin : "\(begin), of which \(drawn.count) are kept from before")
    return drawn
  }

  /// Writes the pictures behind the first `kept`; where that fails, they are drawn again one day.
  private func keep(
    _ drawn: PackedExamples, from kept: inout Int, _ report: (String) -> Void
  ) {
    guard drawn.count > kept else { return }
    do {
      try parts.part(kept..<drawn.count).write(drawn.part(kept..<drawn.count))
      kept = drawn.count
    } catch { report(error.problem) }
  }
}
