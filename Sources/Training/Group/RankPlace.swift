// SPDX-License-Identifier: Apache-2.0

import Base
import Collective
import Foundation

/// Where a rank may run.
package struct RankPlace: Codable, Hashable {
  /// The host's name.
  let host: String
  /// The cores that it may run on, as Linux lists them.
  let allowed: String
  /// How many of them it may use.
  let cores: Int

  /// - Parameter cores: how many of them it may use.
  package init(host: String, allowed: String, cores: Int) {
    self.host = host
    self.allowed = allowed
    self.cores = cores
  }

  /// This process's.
  static var own: RankPlace {
    let status = FileManager.default.contents(atPath: "/proc/self/status") ?? Data()
    let line = String(decoding: status, as: UTF8.self).split(separator: "\n").first {
      $0.hasPrefix("Cpus_allowed_list:")
    }
    return RankPlace(
      host: ProcessInfo.processInfo.hostName, allowed: line.map(String.init) ?? "",
      cores: usableCores)
  }

  /// The threads of each rank: the cores of its place, shared with the other ranks there, at least one.
  package static func threads(_ places: [RankPlace]) -> [Int] {
    places.map { place in max(1, place.cores / places.count { $0 == place }) }
  }

  /// The threads of this rank, so that no core that a launcher has not bound is used twice.
  ///
  /// All ranks must ask.
  package static func threads(_ ranks: any Collective) -> Int {
    let own = (try? JSONEncoder().encode(own)) ?? Data()
    let places = ranks.gather(Array(own)).compactMap {
      try? JSONDecoder().decode(RankPlace.self, from: Data($0))
    }
    let counts = ranks.broadcast(threads(places).map { UInt8(clamping: $0) })
    return Int(counts[ranks.rank])
  }
}
