import Base
import Foundation

/// A folder that lives as long as the test.
final class Scratch {
  let path = FileManager.default.temporaryDirectory.path + "/tasks-tests-\(UUID().uuidString)"

  init() throws { try createFolder(path) }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a text file and returns its path.
  func write(_ text: String, _ name: String) throws -> String {
    let file = "\(path)/\(name)"
    try createFolder((file as NSString).deletingLastPathComponent)
    try writeAtomically(Array(text.utf8), to: file)
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
