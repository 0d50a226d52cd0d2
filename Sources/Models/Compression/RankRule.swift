// SPDX-License-Identifier: Apache-2.0

import Base

/// How the ranks of a model's linear maps are chosen.
package enum RankRule: Sendable, Equatable {
  /// The same r for all; a map for which that saves nothing stays dense.
  case rank(Int)
  /// A share of the rank at which a map would save nothing.
  case share(Double)
  /// The smallest r that keeps a share of Σσ².
  case energy(Double)
  /// All ranks together, so that the weights take no more than so many bytes.
  case budget(bytes: Int)

  /// Reads `rank=8`, `share=0.4`, `energy=0.9` or `budget=200KiB`.
  ///
  /// - Throws: `UserError(.usage)` that says what is allowed.
  package init(_ text: String) throws {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let value = parts.count == 2 ? String(parts[1]) : ""
    switch parts[0] {
    case "rank":
      guard let rank = Int(value), rank > 0 else {
        throw Self.misshapen(text, "a whole number from 1 on")
      }
      self = .rank(rank)
    case "share", "energy":
      guard let share = Double(value), share > 0, share < 1 else {
        throw Self.misshapen(text, "a number between 0 and 1")
      }
      self = parts[0] == "share" ? .share(share) : .energy(share)
    case "budget":
      self = .budget(bytes: try parseBytes(value, option: "--factorise budget"))
    default:
      throw UserError(
        .usage, "--factorise: \"\(text)\" is no rule for ranks",
        remedy: "use rank=8, share=0.4, energy=0.9 or budget=200KiB")
    }
  }

  private static func misshapen(_ text: String, _ rule: String) -> UserError {
    UserError(
      .usage, "--factorise \(text): the value must be \(rule)",
      remedy: "use, for example, rank=8, share=0.4, energy=0.9 or budget=200KiB")
  }

  /// The rank of each map that becomes two narrow ones; the others stay dense.
  ///
  /// - Parameters:
  ///   - spectra: the maps with their σ², falling.
  ///   - others: values of all other weights.
  /// - Throws: `UserError(.configuration)` where nothing would be saved, or the budget is too small.
  package func ranks(
    _ spectra: [(map: MapShape, energies: [Double])], others: Int
  ) throws -> [String: Int] {
    if case .budget(let bytes) = self {
      return try Self.together(spectra, values: bytes / 4 - others, others)
    }
    var ranks: [String: Int] = [:]
    for (map, energies) in spectra {
      let rank = rank(map, energies)
      if rank < map.limit { ranks[map.path] = rank }
    }
    guard ranks.isEmpty, !spectra.isEmpty else { return ranks }
    let most = spectra.map(\.map.limit).max() ?? 0
    throw UserError(
      .configuration,
      "--factorise: no map would become smaller, as none needs a rank below its limit",
      remedy: most < 2
        ? "the maps are too small for two narrow ones each"
        : "the largest limit is \(most); a spectrum that falls slowly, as that of random matrices, "
          + "cannot be factorised without loss: use a lower rank, share or energy")
  }

  private func rank(_ map: MapShape, _ energies: [Double]) -> Int {
    switch self {
    case .rank(let rank): return rank
    case .share(let share): return max(1, Int(share * Double(map.limit)))
    case .energy(let share):
      let wanted = share * energies.reduce(0, +)
      var sum = 0.0
      for (index, energy) in energies.enumerated() {
        sum += energy
        if sum >= wanted { return index + 1 }
      }
      return energies.count
    case .budget: preconditionFailure("ranks of a budget are chosen together")
    }
  }

  /// Takes singular values by their gain σ²/‖W‖²/(inputs + outputs) until the budget is spent.
  ///
  /// As σ² falls within a map, this is the best choice. A map that reaches its limit is dense again.
  private static func together(
    _ spectra: [(map: MapShape, energies: [Double])], values: Int, _ others: Int
  ) throws -> [String: Int] {
    let least = spectra.reduce(0) { $0 + $1.map.inputs + $1.map.outputs }
    guard values >= least else {
      throw UserError(
        .configuration,
        "--factorise: even with rank 1 everywhere the weights take \(formatBytes(4 * (least + others)))",
        remedy: "use a larger budget; lra compress --dry-run shows where the bytes are")
    }
    var gains: [(gain: Double, map: Int)] = []
    for (index, (map, energies)) in spectra.enumerated() {
      let scale =
        max(energies.reduce(0, +), .leastNormalMagnitude) * Double(map.inputs + map.outputs)
      gains += energies.dropFirst().map { ($0 / scale, index) }
    }
    gains.sort { $0.gain == $1.gain ? $0.map < $1.map : $0.gain > $1.gain }
    var (left, ranks) = (values - least, spectra.map { _ in 1 })
    var isClosed = spectra.map { $0.map.limit <= 1 }
    for (_, index) in gains where !isClosed[index] {
      let map = spectra[index].map
      let isDense = ranks[index] + 1 >= map.limit
      let cost =
        isDense
        ? map.inputs * map.outputs - ranks[index] * (map.inputs + map.outputs)
        : map.inputs + map.outputs
      if cost > left {
        isClosed[index] = true
        continue
      }
      left -= cost
      ranks[index] += 1
      isClosed[index] = isDense
    }
    let narrow = spectra.indices.filter { ranks[$0] < spectra[$0].map.limit }
    guard !narrow.isEmpty else {
      throw UserError(
        .configuration, "--factorise: the weights fit the budget as they are",
        remedy: "use a smaller budget")
    }
    return Dictionary(uniqueKeysWithValues: narrow.map { (spectra[$0].map.path, ranks[$0]) })
  }
}
