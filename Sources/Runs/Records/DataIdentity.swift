// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Tasks

/// Which data a run is about, `data.json`: written before the first step, so that whoever evaluates,
/// resumes or compares the run can tell its data from others.
package struct DataIdentity: Codable, Sendable, Equatable {
  package static let fileName = "data.json"

  /// The data folder as the user named it.
  package var folder: String
  /// The same from the root of the file system, for other working folders.
  package var path: String
  /// The task's content hash.
  package var hash: String
  /// Where the data came from.
  package var source: String
  /// The hashes of other data that earlier steps were taken on, oldest first.
  package var earlier: [String] = []

  /// Identifies prepared data.
  ///
  /// - Complexity: one pass over all tokens, about a second for a gigabyte; texts that stay on the
  ///   disk are hashed when they are indexed.
  /// - Throws: `UserError` for data that cannot be read.
  package init(_ task: any ArenaTask, folder: String) throws {
    self.folder = folder
    path = URL(fileURLWithPath: folder).standardizedFileURL.path
    hash = try task.contentHash()
    source = try task.provenance()
  }

  /// Takes note of the data of earlier steps.
  package mutating func follow(_ before: DataIdentity?) {
    guard let before else { return }
    earlier = before.earlier + (before.hash == hash ? [] : [before.hash])
  }

  /// Where the data came from, and that earlier steps had others.
  package var history: String {
    earlier.isEmpty
      ? source : "\(source); earlier steps on other data, \(earlier.joined(separator: ", "))"
  }
}

/// How data stand to those of a run.
package enum DataRelation: String, Sendable, Codable {
  /// The contents are the same.
  case same
  /// They are not: figures on them answer another question.
  case other
  /// The run does not say what its data were.
  case unknown

  /// How data of one content hash stand to a run's.
  package init(_ hash: String, toRun own: String?) {
    self = own.map { $0 == hash ? .same : .other } ?? .unknown
  }
}

extension RunFolder {
  /// What the run noted of its data; nil for runs from before that was done.
  ///
  /// - Throws: `UserError`, `.badData` where the note cannot be understood.
  package func dataIdentity() throws -> DataIdentity? {
    let file = file(DataIdentity.fileName)
    guard FileSystem.exists(file) else { return nil }
    let data = Data(try readFile(file))
    guard let identity = try? SnakeCaseJSON.decoded(DataIdentity.self, from: data) else {
      throw UserError(
        .badData, "\(file): cannot be understood",
        remedy: "restore the file from a copy, or remove it: the result keeps the data's hash too")
    }
    return identity
  }

  /// The content hash of the run's data: that of its last step, else the one noted at its start, else
  /// its result's; nil where there is none of them.
  package func dataHash() throws -> String? {
    struct Noted: Decodable { let dataHash: String? }
    let state = "\(checkpoints)/last/trainer_state.json"
    if let data = FileManager.default.contents(atPath: state),
      let hash = (try? JSONDecoder().decode(Noted.self, from: data))?.dataHash
    {
      return hash
    }
    if let hash = try dataIdentity()?.hash { return hash }
    guard let data = FileManager.default.contents(atPath: file("result.json")) else { return nil }
    return (try? SnakeCaseJSON.decoded(Noted.self, from: data))?.dataHash
  }

  /// Checks that prepared data are those that the run was trained on so far.
  ///
  /// - Throws: `UserError(.badData)` with both hashes.
  package func requireSameData(_ data: DataIdentity) throws {
    guard let own = try dataHash(), own != data.hash else { return }
    let place = try dataIdentity().map { ", \($0.source) in \($0.path)" } ?? ""
    throw UserError(
      .badData,
      "\(path): the data are not the run's: content \(data.hash), \(data.source); the run's "
        + "is \(own)\(place)",
      remedy: "name the run's data folder with --data, or go on with these by --other-data")
  }

  /// The data folder for a run when the user names none: the one that the run noted, where that is
  /// still there, seen from the root or from the working folder.
  package func notedDataFolder() throws -> String? {
    guard let identity = try dataIdentity() else { return nil }
    return [identity.path, identity.folder].first(where: FileSystem.exists)
  }
}
