// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// A folder that lives as long as the test.
final class Scratch {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/base-tests-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }
}

/// The error that a call throws, nil when it throws none.
func userError(_ body: () throws -> Void) -> UserError? {
  do {
    try body()
    return nil
  } catch {
    return error as? UserError
  }
}

/// Runs `body` with the path of a folder that lives as long.
func withScratchFolder<T>(_ body: (String) throws -> T) throws -> T {
  let scratch = try Scratch()
  return try withExtendedLifetime(scratch) { try body(scratch.path) }
}
