// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// What the rounds of one model, in one setting, amount to.
package struct PeerComparison: Sendable {
  /// What is compared in one column of a table.
  struct Setting: Hashable, Comparable, Sendable {
    let processor: String
    let forward: Bool
    let width: Int
    let shape: String
    let length: Int
    let threads: Int
    let precision: String
    let arch: String
    let batch: Int

    init(_ round: PeerRound) {
      processor = round.processor
      forward = round.forward
      width = round.own.emb
      shape = round.shape
      length = round.length
      threads = round.threads
      precision = round.precision ?? ""
      arch = round.arch ?? ""
      batch = round.batch
    }

    /// Narrow models before wide ones, short sequences before long ones.
    static func < (a: Setting, b: Setting) -> Bool {
      let machines = (a.processor + a.arch + a.precision, b.processor + b.arch + b.precision)
      if machines.0 != machines.1 { return machines.0 < machines.1 }
      return (a.width, a.length, a.threads, a.forward ? 1 : 0, a.batch)
        < (b.width, b.length, b.threads, b.forward ? 1 : 0, b.batch)
    }

    /// Examples a step of most measurements, which their titles leave out.
    static let usualBatch = 8

    /// As `narrow, L 1024, 2 threads`.
    var title: String {
      ([shape, "L \(length)", "\(threads) \(threads == 1 ? "thread" : "threads")"]
        + [precision, arch, batch == Self.usualBatch ? "" : "batch \(batch)"].filter {
          !$0.isEmpty
        }).joined(separator: ", ")
    }
  }

  /// How often we fit into PyTorch's time.
  let ratio: Double
  /// The middle half of the rounds: from the lower to the upper quartile.
  let range: ClosedRange<Double>
  /// Our share of the speed of sgemm, 0...1.
  let share: Double?
  /// Peak memory in MiB.
  let memory: (own: Double, peer: Double)
  /// Seconds from the command to the end of the first step, where that was measured.
  let firstStep: (own: Double, peer: Double)?
  /// Whether compiled PyTorch was measured in every round.
  let hasCompiled: Bool
  /// How often our bytes fit into the time of our fp32 and bf16, and of PyTorch's fp32.
  let bytes: (fp32: Double?, bf16: Double?, peerFp32: Double?)
  private let rounds: Int

  /// - Parameter rounds: of one model in one setting, at least one.
  init(_ rounds: [PeerRound]) {
    let ratios = Self.ratios(rounds)
    ratio = median(ratios)
    let (sorted, outer) = (ratios.sorted(), ratios.count / 4)
    range = sorted[outer]...sorted[sorted.count - 1 - outer]
    let shares = rounds.compactMap(\.own.mfu)
    share = shares.isEmpty ? nil : median(shares)
    memory = (
      median(rounds.map { Double($0.own.peakRssMib) }),
      median(rounds.map(\.peer.peakRssMib))
    )
    let first = rounds.compactMap(\.firstS)
    firstStep =
      first.isEmpty ? nil : (median(first.map(\.own)), median(first.map(\.peer)))
    let ratio = { (seconds: (PeerRound) -> Double?) -> Double? in
      let all = rounds.compactMap { round in seconds(round).map { $0 / round.own.stepS } }
      return all.count == rounds.count ? median(all) : nil
    }
    bytes = (
      ratio { $0.ownFp32?.stepS }, ratio { $0.ownBf16?.stepS }, ratio { $0.peerFp32?.stepS }
    )
    hasCompiled = rounds.allSatisfy { $0.compiled != nil }
    self.rounds = rounds.count
  }

  /// PyTorch's time divided by ours, in each round: eager, or compiled where that has the smaller median.
  ///
  /// Both sides of a round met the same machine, so ratios are compared, and not times. Compiled
  /// rounds count where all rounds have them.
  private static func ratios(_ rounds: [PeerRound]) -> [Double] {
    let eager = rounds.map { $0.peer.stepS / $0.own.stepS }
    let compiled = rounds.compactMap { round in round.compiled.map { $0.stepS / round.own.stepS } }
    return compiled.count == rounds.count && median(compiled) < median(eager) ? compiled : eager
  }

  /// As `1.40x, 84 %`, and with the rounds' middle half `1.40x (1.39–1.41), 84 %`.
  func text(withRange: Bool) -> String {
    let spread =
      withRange && rounds > 1
      ? String(format: " (%.2f–%.2f)", range.lowerBound, range.upperBound) : ""
    return Self.text(ratio) + spread + (share.map { String(format: ", %.0f %%", $0 * 100) } ?? "")
  }

  /// As `75 / 772`.
  var memoryText: String { String(format: "%.0f / %.0f", memory.own, memory.peer) }

  /// As `0.21 / 4.30`.
  var firstStepText: String? {
    firstStep.map { String(format: "%.2f / %.2f", $0.own, $0.peer) }
  }

  /// As `1.40x`.
  static func text(_ ratio: Double) -> String { String(format: "%.2fx", ratio) }
}
