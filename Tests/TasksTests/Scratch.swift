// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// A folder that lives as long as the test.
final class Scratch {
  let path = FileManager.default.temporaryDirectory.path + "/tasks-tests-\(UUID().uuidString)"

  init() throws { try createFolder(path) }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a text file and returns its path.
  func write(_ text: String, _ name: String) throws -> String {
    try write(Array(text.utf8), name)
  }

  /// Writes a file and returns its path.
  @discardableResult
  func write(_ bytes: [UInt8], _ name: String) throws -> String {
    let file = "\(path)/\(name)"
    try createFolder((file as NSString).deletingLastPathComponent)
    try writeAtomically(bytes, to: file)
    return file
  }

  func names(_ folder: String = "") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path + folder).sorted()
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

/// The folder of the genuine data: `LRA_DATA`, or `data` in the repository.
let genuineData: String = {
  let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
  let chosen = ProcessInfo.processInfo.environment["LRA_DATA", default: ""]
  return chosen.isEmpty ? "\(root)/data" : chosen
}()

/// Whether the genuine data of a task are there.
func hasGenuineData(_ path: String) -> Bool {
  FileManager.default.fileExists(atPath: "\(genuineData)/\(path)")
}

/// Bytes with up to four random changes: replaced, removed, doubled or cut off.
func mutated(_ bytes: [UInt8], _ random: inout RandomStream) -> [UInt8] {
  var bytes = bytes
  for _ in 0..<random.integer(below: 5) where !bytes.isEmpty {
    let place = random.integer(below: bytes.count)
    switch random.integer(below: 4) {
    case 0: bytes[place] = UInt8(random.integer(below: 256))
    case 1: bytes.remove(at: place)
    case 2: bytes.insert(bytes[place], at: place)
    default: bytes.removeSubrange(place...)
    }
  }
  return bytes
}
