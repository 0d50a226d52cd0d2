// SPDX-License-Identifier: Apache-2.0

/// A mistake or a missing thing outside the program, told in two lines: what is wrong (naming the
/// file, line or key) and what to do about it.
package struct UserError: Error, CustomStringConvertible, Sendable, Equatable {
  /// What the process exits with, after BSD's `sysexits`.
  package enum Kind: Int32, Sendable, CaseIterable {
    case failed = 1
    case usage = 64
    case badData = 65
    case missingInput = 66
    case unavailable = 69
    case cannotWrite = 73
    case stoppedEarly = 75
    case configuration = 78

    /// The status in words.
    package var meaning: String {
      switch self {
      case .failed: "failed"
      case .usage: "wrong usage"
      case .badData: "bad data"
      case .missingInput: "missing input"
      case .unavailable: "something to install or in use"
      case .cannotWrite: "cannot write"
      case .stoppedEarly: "stopped early, run again to go on"
      case .configuration: "wrong configuration"
      }
    }
  }

  /// The class of the mistake, which is the exit status.
  package let kind: Kind
  /// What is wrong, one line.
  package let problem: String
  /// What to do, one line.
  package let remedy: String

  /// Tells what is wrong and what to do about it.
  package init(_ kind: Kind, _ problem: String, remedy: String) {
    self.kind = kind
    self.problem = problem
    self.remedy = remedy
  }

  /// The problem, then the remedy on a line of its own.
  package var description: String { remedy.isEmpty ? problem : "\(problem)\n\(remedy)" }
}

extension Error {
  /// What is wrong, one line, without what to do about it.
  package var problem: String { (self as? UserError)?.problem ?? localizedDescription }
}
