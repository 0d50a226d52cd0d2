// SPDX-License-Identifier: Apache-2.0

import Base
import Collective
import Foundation
import Training

/// A training of which `mpirun` or `srun` started several ranks.
///
/// Rank 0 is the command as the user sees it; the others work for it. An error of one ends all, with its
/// text and status; a stop on request ends all when the state is saved.
struct Launched {
  /// `--threads`.
  let threads: Int?
  /// `--data`.
  let dataFolder: String?

  /// The least number of shards of a run that several ranks begin; one that fewer or more ranks, up to
  /// so many, can go on with.
  private static let shards = 8

  /// What differs from a process alone unless the user says otherwise.
  static func assignments(_ ranks: any Collective) -> [(text: String, origin: String)] {
    guard ranks is OpenMPI else { return [] }
    return [("train.shards=\(max(shards, ranks.size))", "\(ranks.size) ranks")]
  }

  /// Trains with all ranks.
  ///
  /// - Parameter train: trains as their leader.
  /// - Throws: `UserError(.stoppedEarly)` of the leader; other errors end the process.
  func run(_ train: (any Collective) throws -> Void) throws {
    let ranks = try OpenMPI()
    do {
      try Self.requireShares(ranks)
      try chooseThreads(ranks)
      try ranks.leads ? lead(ranks, train) : follow(ranks)
    } catch let error as UserError where error.kind == .stoppedEarly && ranks.leads {
      TrainingGroup(ranks).end()
      throw error
    } catch {
      let host = ProcessInfo.processInfo.hostName
      ranks.abort(
        status: LRA.tell(error, speaker: ranks.leads ? "" : "rank \(ranks.rank) on \(host): "))
    }
  }

  /// Measures how long all ranks take to add up gradients.
  ///
  /// - Returns: what the leader measured; nil for the others.
  static func measureExchange() throws -> ExchangeMeasurement? {
    let ranks = try OpenMPI()
    do { try requireShares(ranks) } catch { ranks.abort(status: LRA.tell(error)) }
    let measurement = ExchangeMeasurement(ranks)
    ranks.finish()
    return ranks.leads ? measurement : nil
  }

  private static func requireShares(_ ranks: OpenMPI) throws {
    let size = ranks.size
    if size & (size - 1) == 0 { return }
    // The leader tells, and ends all.
    while !ranks.leads { pause() }
    throw UserError(
      .usage, "\(size) ranks cannot share a batch's shards: their number must be a power of two",
      remedy: "use, for example, mpirun -np \(1 << Int(log2(Double(size))))")
  }

  private func lead(_ ranks: OpenMPI, _ train: (any Collective) throws -> Void) throws {
    try train(ranks)
    TrainingGroup(ranks).end()
  }

  private func follow(_ ranks: OpenMPI) throws {
    // What signals ask for is the leader's to do: the launcher hands them to all.
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU] {
      Foundation.signal(signal, SIG_IGN)
    }
    try GroupMember(ranks, dataFolder: dataFolder).serve()
  }

  /// Shares the cores of each host out among its ranks, unless the user has said how many threads.
  private func chooseThreads(_ ranks: OpenMPI) throws {
    let count = RankPlace.threads(ranks)
    guard try threads == nil && ThreadCount.fromEnvironment() == nil else { return }
    try useThreads(count)
  }
}
