// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The number of threads that a user asks for, with a flag or with `LRA_THREADS`.
package enum ThreadCount {
  /// What may be asked for.
  package static let range = 1...1024

  /// `LRA_THREADS`; nil where it is not set or empty.
  ///
  /// - Throws: `UserError(.usage)` when it is not a number of threads.
  package static func fromEnvironment(
    _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> Int? {
    guard let text = environment["LRA_THREADS"], !text.isEmpty else { return nil }
    guard let count = Int(text) else { throw refusal("LRA_THREADS", text) }
    return try checked(count, "LRA_THREADS")
  }

  /// A number that can be used.
  ///
  /// - Parameter origin: where it was given, for the message.
  /// - Throws: `UserError(.usage)` when it is less than 1 or more than 1024.
  package static func checked(_ count: Int, _ origin: String) throws -> Int {
    guard range.contains(count) else { throw refusal(origin, "\(count)") }
    return count
  }

  private static func refusal(_ origin: String, _ text: String) -> UserError {
    UserError(
      .usage, "\(origin): \"\(text)\" is not a number of threads from 1 to \(range.upperBound)",
      remedy: "leave it out to use the \(usableCores) cores that this process has")
  }
}
