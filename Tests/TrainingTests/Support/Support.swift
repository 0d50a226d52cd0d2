// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Testing

/// Runs `body` with the path of a fresh folder that is removed afterwards.
func withTemporaryFolder<T>(_ body: (String) throws -> T) throws -> T {
  let path = FileManager.default.temporaryDirectory.path + "/lra-\(UUID().uuidString)"
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try body(path)
}

/// The user error that `body` throws; records a failure when it throws none.
func userError(_ body: () throws -> Void) -> UserError? {
  do {
    try body()
    Issue.record("nothing was thrown")
  } catch let error as UserError {
    return error
  } catch {
    Issue.record("not a user error: \(error)")
  }
  return nil
}

func contents(_ path: String) -> String? {
  FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
}

func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

func names(in path: String) -> [String] {
  ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
}
