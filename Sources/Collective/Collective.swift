// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Processes, or threads, that train one model together, as one of them sees it.
///
/// All it takes is that bytes sent by one arrive at another in their order; what the group does together
/// is made of that, in an order that the number of ranks alone determines.
package protocol Collective: AnyObject {
  /// This one, from 0.
  var rank: Int { get }
  /// All of them, a power of two.
  var size: Int { get }
  /// Sends bytes to another rank.
  func send(_ bytes: UnsafeRawBufferPointer, to rank: Int)
  /// Waits for as many bytes of another rank.
  func receive(_ bytes: UnsafeMutableRawBufferPointer, from rank: Int)
  /// Ends all ranks at once.
  func abort(status: Int32) -> Never
  /// Leaves the group when all do.
  func finish()
}

extension Collective {
  /// Whether this one leads: writes the run's folder, and tells the others what to do.
  package var leads: Bool { rank == 0 }

  /// Gives all ranks what rank 0 has.
  ///
  /// - Complexity: ⌈log₂ size⌉ messages one after the other.
  package func broadcast(_ bytes: UnsafeMutableRawBufferPointer) {
    // The distance from which this rank gets them, then those to which it passes them on.
    var distance = size / 2
    while distance > 0 {
      if rank % (2 * distance) == 0 {
        send(UnsafeRawBufferPointer(bytes), to: rank + distance)
      } else if rank % (2 * distance) == distance {
        receive(bytes, from: rank - distance)
      }
      distance /= 2
    }
  }

  /// Gives all ranks the bytes that rank 0 has, of a number that the others do not know.
  package func broadcast(_ bytes: [UInt8]) -> [UInt8] {
    var count = bytes.count
    withUnsafeMutableBytes(of: &count) { broadcast($0) }
    var bytes = leads ? bytes : [UInt8](repeating: 0, count: count)
    bytes.withUnsafeMutableBytes { broadcast($0) }
    return bytes
  }

  /// Collects what every rank has, in the order of ranks; the others get nothing.
  package func gather(_ bytes: [UInt8]) -> [[UInt8]] {
    guard leads else {
      var count = bytes.count
      withUnsafeBytes(of: &count) { send($0, to: 0) }
      bytes.withUnsafeBytes { send($0, to: 0) }
      return []
    }
    return [bytes]
      + (1..<size).map { rank in
        var count = 0
        withUnsafeMutableBytes(of: &count) { receive($0, from: rank) }
        var bytes = [UInt8](repeating: 0, count: count)
        bytes.withUnsafeMutableBytes { receive($0, from: rank) }
        return bytes
      }
  }

  /// Adds up over all ranks, pairwise, and gives all of them the sum.
  ///
  /// ```
  /// ((r₀ + r₁) + (r₂ + r₃)) + …
  /// ```
  /// Where each rank's values are the pairwise sum of as many terms, a power of two, the result is that
  /// of all terms in one process, to the bit.
  ///
  /// - Complexity: 2·⌈log₂ size⌉ messages of all values one after the other, and as many additions.
  package func sum<Value: AdditiveArithmetic & BitwiseCopyable>(
    _ values: UnsafeMutableBufferPointer<Value>
  ) {
    var distance = 1
    while distance < size {
      if rank % (2 * distance) == distance {
        send(UnsafeRawBufferPointer(values), to: rank - distance)
        break
      }
      withUnsafeTemporaryAllocation(of: Value.self, capacity: values.count) { others in
        receive(UnsafeMutableRawBufferPointer(others), from: rank + distance)
        for i in values.indices { values[i] += others[i] }
      }
      distance *= 2
    }
    broadcast(UnsafeMutableRawBufferPointer(values))
  }
}

/// One process alone.
package final class SingleProcess: Collective {
  /// 0.
  package let rank = 0
  /// 1.
  package let size = 1

  /// There is nothing to choose.
  package init() {}

  /// There is nobody to send to.
  package func send(_ bytes: UnsafeRawBufferPointer, to rank: Int) {
    preconditionFailure("a single process has nobody to send to")
  }

  /// There is nobody to receive from.
  package func receive(_ bytes: UnsafeMutableRawBufferPointer, from rank: Int) {
    preconditionFailure("a single process has nobody to receive from")
  }

  /// Ends the process.
  package func abort(status: Int32) -> Never { exit(status) }

  /// There is nobody to wait for.
  package func finish() {}
}
