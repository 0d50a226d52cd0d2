// SPDX-License-Identifier: Apache-2.0

import Base
import Tasks
import Testing

@Suite struct PathfinderGeneratorTests {
  /// Means over some pictures.
  private struct Statistics {
    /// Pixels that are not black.
    var lit = 0.0
    /// Pixels of at least half the greatest value.
    var bright = 0.0
    var grey = 0.0
    /// Connected parts of pixels of at least a quarter.
    var parts = 0.0
  }

  private func pictures(
    _ size: Int, _ level: PathfinderShape.Level, _ count: Int
  ) -> [PathfinderGenerator.Picture] {
    let generator = PathfinderGenerator(PathfinderShape(size: size, level: level), seed: 1)
    return (0..<count).map(generator.picture)
  }

  private func statistics(
    _ pictures: [PathfinderGenerator.Picture], size: Int
  ) -> Statistics {
    var sum = Statistics()
    let count = Double(pictures.count)
    for picture in pictures {
      sum.lit += Double(picture.pixels.count { $0 > 0 }) / count
      sum.bright += Double(picture.pixels.count { $0 >= 128 }) / count
      sum.grey += picture.pixels.reduce(0) { $0 + Double($1) } / Double(size * size) / count
      sum.parts += Double(parts(picture.pixels, size)) / count
    }
    return sum
  }

  /// The number of 8-connected parts.
  private func parts(_ pixels: [UInt8], _ size: Int) -> Int {
    var isOpen = pixels.map { $0 >= 64 }
    var count = 0
    for start in isOpen.indices where isOpen[start] {
      count += 1
      isOpen[start] = false
      var stack = [start]
      while let place = stack.popLast() {
        for row in max(0, place / size - 1)...min(size - 1, place / size + 1) {
          for column in max(0, place % size - 1)...min(size - 1, place % size + 1)
          where isOpen[row * size + column] {
            isOpen[row * size + column] = false
            stack.append(row * size + column)
          }
        }
      }
    }
    return count
  }

  /// Means of pictures that the original generator drew, with four standard errors of theirs and
  /// ours: 1,200 hard ones, 100 and 99 of the other levels, 120 of 128 × 128.
  @Test(
    "Pictures have the statistics of the original's",
    arguments: [
      (32, PathfinderShape.Level.hard, 600, [347.4, 86.64, 20.05, 13.60], [7.9, 1.9, 0.4, 0.65]),
      (32, .intermediate, 400, [274.9, 65.10, 15.52, 9.04], [16.3, 3.9, 0.86, 1.3]),
      (32, .easy, 400, [235.3, 53.83, 13.13, 7.43], [14.7, 3.5, 0.8, 1.07]),
      (128, .hard, 40, [2243.9, 495.7, 7.908, 57.77], [65, 18, 0.26, 1.6]),
    ])
  func genuineStatistics(
    size: Int, level: PathfinderShape.Level, count: Int, means: [Double], tolerances: [Double]
  ) {
    let ours = statistics(pictures(size, level, count), size: size)
    let values = [ours.lit, ours.bright, ours.grey, ours.parts]
    for (value, (mean, tolerance)) in zip(values, zip(means, tolerances)) {
      #expect(abs(value - mean) < tolerance, "\(values)")
    }
  }

  @Test("Half of the pictures have each label, and neither pixels nor their sum tell it")
  func balance() {
    let pictures = pictures(32, .hard, 2000)
    let positive = pictures.filter { $0.label == 1 }
    // 2,000 draws have a standard deviation of 22.
    #expect(abs(positive.count - 1000) < 100)
    let lit = [0, 1].map { label in
      statistics(pictures.filter { $0.label == label }, size: 32).lit
    }
    // The standard error of the difference is 1.8.
    #expect(abs(lit[0] - lit[1]) < 7.2)
  }

  @Test("A picture depends on seed and number alone, and threads change nothing")
  func reproducible() throws {
    let shape = PathfinderShape(size: 32, level: .hard)
    let generator = PathfinderGenerator(shape, seed: 7)
    let drawn = { (range: Range<Int>, workers: Int) throws -> PackedExamples in
      var all = PackedExamples(classes: 2)
      try generator.draw(range, workers: workers) { all.append($0) }
      return all
    }
    let one = try drawn(0..<600, 1)
    #expect(try drawn(0..<600, 3) == one)
    let again = PathfinderGenerator(shape, seed: 7).picture(599)
    #expect(one[599].elementsEqual(ZeroRuns.coded(again.pixels)) && one.labels[599] == again.label)
    #expect(PathfinderGenerator(shape, seed: 8).picture(599).pixels != again.pixels)
    #expect(try drawn(100..<102, 2)[1] == drawn(101..<102, 1)[0])
  }

  @Test("The first pictures stay what they are")
  func frozen() {
    var hash = FNV1a()
    for size in [32, 64, 128, 256] {
      for picture in pictures(size, .easy, 4) { hash.add(picture.pixels + [picture.label]) }
    }
    #expect(hash.hexadecimal == "a0a237dd6491e240")
  }

  @Test("Pictures of all sizes and levels reach from black to white")
  func sizes() {
    for size in PathfinderShape.sizes {
      for level in [PathfinderShape.Level.easy, .intermediate] {
        for picture in pictures(size, level, 2) {
          #expect(picture.pixels.count == size * size)
          #expect(picture.pixels.min() == 0 && picture.pixels.max() == 255)
        }
      }
    }
    let margins = pictures(128, .easy, 40).map(\.margin)
    #expect(Set(margins) == [2, 3])
  }

  @Test("The short form of a picture gives it back")
  func zeroRuns() {
    var random = RandomStream(seed: 1, stream: 1)
    for length in [0, 1, 2, 5, 300, 20_000] {
      for rarity in [1, 2, 10, 1000] {
        let pixels = (0..<length).map { _ -> UInt8 in
          random.integer(below: rarity) > 0 ? 0 : UInt8(random.integer(below: 256))
        }
        var tokens: [Int32] = [9]
        ZeroRuns.append(ZeroRuns.coded(pixels)[...], pixels: length, to: &tokens)
        #expect(tokens == [9] + pixels.map { Int32($0) + 1 })
      }
    }
  }
}
