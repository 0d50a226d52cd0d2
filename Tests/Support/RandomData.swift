// SPDX-License-Identifier: Apache-2.0

import Base

/// Numbers for tests: the same for the same name, everywhere.
package struct RandomData {
  private var stream: RandomStream

  /// Starts the numbers of one name.
  package init(_ name: String) { stream = RandomStream(seed: 20, stream: fnv1a(name)) }

  /// Uniform numbers.
  package mutating func floats(_ count: Int, in range: ClosedRange<Float> = -1...1) -> [Float] {
    (0..<count).map { _ in
      range.lowerBound + (range.upperBound - range.lowerBound) * Float(stream.uniform())
    }
  }

  /// Normally distributed numbers.
  package mutating func normals(_ count: Int) -> [Double] {
    (0..<count).map { _ in stream.normal() }
  }

  /// Uniform whole numbers.
  package mutating func integers(_ count: Int, in range: Range<Int>) -> [Int32] {
    (0..<count).map { _ in Int32(range.lowerBound + stream.integer(below: range.count)) }
  }
}

/// Where sequences of these lengths begin and end when they lie back to back.
package func offsets(_ lengths: [Int]) -> [Int] {
  lengths.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
}
