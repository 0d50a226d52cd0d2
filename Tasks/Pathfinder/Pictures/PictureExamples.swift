// SPDX-License-Identifier: Apache-2.0

import Base

/// Pictures in memory in their short form, or a part of them; the pictures are shared, not copied.
struct PictureExamples: ExampleSource {
  private let coded: PackedExamples
  private let range: Range<Int>
  private let pixels: Int
  let labelCounts: [Int]

  /// Some of the pictures.
  ///
  /// - Parameters:
  ///   - coded: pictures in the form of `ZeroRuns`.
  ///   - range: places among them.
  ///   - pixels: of each picture.
  init(_ coded: PackedExamples, range: Range<Int>, pixels: Int) {
    (self.coded, self.range, self.pixels) = (coded, range, pixels)
    let positive = coded.labels[range].count { $0 == 1 }
    labelCounts = [range.count - positive, positive]
  }

  var count: Int { range.count }

  func label(_ example: Int) -> Int { Int(coded.labels[range.lowerBound + example]) }

  func length(_ example: Int, tower: Int) -> Int { pixels }

  func append(_ example: Int, tower: Int, to tokens: inout [Int32]) {
    ZeroRuns.append(coded[range.lowerBound + example], pixels: pixels, to: &tokens)
  }

  /// Adds every picture and label to a hash.
  func add(to hash: inout FNV1a) {
    hash.add(UInt64(count))
    for place in range {
      hash.add(UInt64(coded[place].count))
      hash.add(coded[place])
      hash.add(CollectionOfOne(coded.labels[place]))
    }
  }
}
