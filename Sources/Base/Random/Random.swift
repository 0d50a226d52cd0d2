// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Philox4x32-10, a counter-based random function: block `n` of key `k` is computed directly.
///
/// Nothing depends on the order of calls, so results do not depend on the number of threads.
///
/// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
///
/// Public, as the streams are: other modules specialise generic code of this package only where it is
/// public, and drawing ListOps takes three times as long otherwise.
public struct Philox: Sendable {
  @usableFromInline let low: UInt32
  @usableFromInline let high: UInt32

  /// The function for one 64-bit key.
  @inlinable
  public init(key: UInt64) {
    low = UInt32(truncatingIfNeeded: key)
    high = UInt32(truncatingIfNeeded: key >> 32)
  }

  /// Four independent, uniformly distributed words for one 128-bit counter, low half first.
  @inlinable
  public func block(_ counter: (UInt64, UInt64)) -> (UInt32, UInt32, UInt32, UInt32) {
    var x0 = UInt32(truncatingIfNeeded: counter.0)
    var x1 = UInt32(truncatingIfNeeded: counter.0 >> 32)
    var x2 = UInt32(truncatingIfNeeded: counter.1)
    var x3 = UInt32(truncatingIfNeeded: counter.1 >> 32)
    var (k0, k1) = (low, high)
    for _ in 0..<10 {
      let a = UInt64(x0) &* 0xD251_1F53
      let b = UInt64(x2) &* 0xCD9E_8D57
      (x0, x2) = (
        UInt32(truncatingIfNeeded: b >> 32) ^ x1 ^ k0,
        UInt32(truncatingIfNeeded: a >> 32) ^ x3 ^ k1
      )
      (x1, x3) = (UInt32(truncatingIfNeeded: b), UInt32(truncatingIfNeeded: a))
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    return (x0, x1, x2, x3)
  }
}

/// A sequence of random numbers over `Philox`: equal (seed, stream) gives equal numbers everywhere.
///
/// The seed is the key, the stream is the upper half of the counter, so two streams never overlap.
public struct RandomStream: RandomNumberGenerator, Sendable {
  @usableFromInline let philox: Philox
  @usableFromInline let stream: UInt64
  @usableFromInline var position: UInt64 = 0
  @usableFromInline var spare: UInt64?

  /// Starts at the beginning of one stream.
  ///
  /// - Parameters:
  ///   - seed: chosen by the user.
  ///   - stream: the purpose, as `fnv1a("name")`, or the index of an example.
  @inlinable
  public init(seed: UInt64, stream: UInt64) {
    philox = Philox(key: seed)
    self.stream = stream
  }

  /// The next 64 random bits.
  @inlinable
  public mutating func next() -> UInt64 {
    if let word = spare {
      spare = nil
      return word
    }
    let (a, b, c, d) = philox.block((position, stream))
    position &+= 1
    spare = UInt64(c) | UInt64(d) << 32
    return UInt64(a) | UInt64(b) << 32
  }

  /// A uniform number in [0, 1) with 53 random bits.
  @inlinable
  public mutating func uniform() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// A uniform integer in 0..<n without bias (Lemire 2019, "Fast random integer generation").
  ///
  /// The standard library's own algorithm may change between versions; this one is ours.
  ///
  /// - Precondition: n > 0.
  @inlinable
  public mutating func integer(below n: Int) -> Int {
    precondition(n > 0, "integer(below:): \(n) is not positive")
    let range = UInt64(n)
    var product = next().multipliedFullWidth(by: range)
    if product.low < range {
      let smallest = (0 &- range) % range
      while product.low < smallest { product = next().multipliedFullWidth(by: range) }
    }
    return Int(product.high)
  }

  /// A number from the standard normal distribution, by Marsaglia's polar method.
  ///
  /// The second number of each pair is dropped, so a call leaves no hidden state behind. The
  /// logarithm is the platform's: the last bit may differ between C libraries.
  public mutating func normal() -> Double {
    while true {
      let x = 2 * uniform() - 1
      let y = 2 * uniform() - 1
      let square = x * x + y * y
      if square > 0 && square < 1 {
        return x * (-2 * log(square) / square).squareRoot()
      }
    }
  }
}

/// A random order of 0..<count for one epoch, by Fisher and Yates.
///
/// - Complexity: time and memory in proportion to `count`.
public func permutation(count: Int, seed: UInt64, epoch: Int) -> [Int] {
  var random = RandomStream(
    seed: seed, stream: fnv1a("permutation") &+ UInt64(truncatingIfNeeded: epoch))
  var order = Array(0..<count)
  for last in stride(from: count - 1, to: 0, by: -1) {
    order.swapAt(last, random.integer(below: last + 1))
  }
  return order
}
