// SPDX-License-Identifier: Apache-2.0

import Collective
import Foundation

/// Ranks that are threads of one process.
final class ThreadRank: Collective, @unchecked Sendable {
  /// What is on its way between ranks.
  private final class Mail: @unchecked Sendable {
    private let condition = NSCondition()
    private var messages: [[Int]: [[UInt8]]] = [:]

    func put(_ bytes: [UInt8], from: Int, to: Int) {
      condition.withLock {
        messages[[from, to], default: []].append(bytes)
        condition.broadcast()
      }
    }

    func take(from: Int, to: Int) -> [UInt8] {
      condition.withLock {
        while messages[[from, to], default: []].isEmpty { condition.wait() }
        return messages[[from, to], default: []].removeFirst()
      }
    }
  }

  let rank: Int
  let size: Int
  private let mail: Mail

  private init(_ rank: Int, of size: Int, _ mail: Mail) {
    self.rank = rank
    self.size = size
    self.mail = mail
  }

  /// Runs `body` on every rank.
  ///
  /// - Returns: what each returned, in the order of ranks.
  static func run<Result: Sendable>(
    _ size: Int, _ body: @escaping @Sendable (ThreadRank) -> Result
  ) -> [Result] {
    let mail = Mail()
    let ranks = (0..<size).map { ThreadRank($0, of: size, mail) }
    let results = Results<Result>()
    let group = DispatchGroup()
    for rank in ranks {
      group.enter()
      Thread.detachNewThread {
        results.set(rank.rank, body(rank))
        group.leave()
      }
    }
    group.wait()
    return results.inOrder
  }

  private final class Results<Result: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var values: [Int: Result] = [:]

    func set(_ rank: Int, _ value: Result) { lock.withLock { values[rank] = value } }
    var inOrder: [Result] { values.sorted { $0.key < $1.key }.map(\.value) }
  }

  func send(_ bytes: UnsafeRawBufferPointer, to rank: Int) {
    mail.put(Array(bytes), from: self.rank, to: rank)
  }

  func receive(_ bytes: UnsafeMutableRawBufferPointer, from rank: Int) {
    bytes.copyBytes(from: mail.take(from: rank, to: self.rank))
  }

  func abort(status: Int32) -> Never { exit(status) }
  func finish() {}
}
