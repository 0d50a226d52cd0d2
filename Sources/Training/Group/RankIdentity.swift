// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Foundation
import Machine

/// What must be the same on all ranks for their sums to have the same bits.
package struct RankIdentity: Codable, Equatable {
  /// Where the rank runs.
  package var host: String
  /// The commit that its program was built from.
  package var commit: String
  /// The instructions that its products are computed with.
  package var kernel: String
  /// The content hash of its data.
  package var data: String

  /// - Parameter data: the content hash.
  package init(host: String, commit: String, kernel: String, data: String) {
    self.host = host
    self.commit = commit
    self.kernel = kernel
    self.data = data
  }

  /// This process's.
  ///
  /// - Parameters:
  ///   - data: the content hash.
  ///   - precision: of the operands of its products.
  package init(data: String, _ precision: Precision) {
    host = ProcessInfo.processInfo.hostName
    let environment = RunEnvironment(threads: 1, precision: precision)
    commit = environment.commit ?? "unknown"
    kernel = environment.kernel ?? "unknown"
    self.data = data
  }

  /// What differs from the leader's, for people.
  package func differences(from leader: RankIdentity) -> [String] {
    [
      ("program's commit", commit, leader.commit),
      ("kernel", kernel, leader.kernel),
      ("data", data, leader.data),
    ].filter { $0.1 != $0.2 }.map { "\($0.0) \($0.1), not \($0.2)" }
  }

  /// Refuses a group of which some rank would compute something else.
  ///
  /// - Throws: `UserError(.configuration)` that names the rank and what differs.
  package static func requireSame(_ ranks: [RankIdentity]) throws {
    guard let leader = ranks.first else { return }
    for (rank, identity) in ranks.enumerated() {
      let differences = identity.differences(from: leader)
      if differences.isEmpty { continue }
      throw UserError(
        .configuration,
        "rank \(rank) on \(identity.host) differs from rank 0 on \(leader.host): "
          + differences.joined(separator: "; "),
        remedy: "all ranks need the same build of the program and the same data folder")
    }
  }
}
