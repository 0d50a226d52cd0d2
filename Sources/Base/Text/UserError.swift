/// A mistake or a missing thing outside the program, told in two lines: what is wrong (naming the
/// file, line or key) and what to do about it.
public struct UserError: Error, CustomStringConvertible, Sendable, Equatable {
  /// What the process exits with, after BSD's `sysexits`.
  public enum Kind: Int32, Sendable {
    case failed = 1
    case usage = 64
    case badData = 65
    case missingInput = 66
    case unavailable = 69
    case cannotWrite = 73
    case stoppedEarly = 75
    case configuration = 78
  }

  /// The class of the mistake, which is the exit status.
  public let kind: Kind
  /// What is wrong, one line.
  public let problem: String
  /// What to do, one line.
  public let remedy: String

  /// Tells what is wrong and what to do about it.
  public init(_ kind: Kind, _ problem: String, remedy: String) {
    self.kind = kind
    self.problem = problem
    self.remedy = remedy
  }

  /// The problem, then the remedy on a line of its own.
  public var description: String { remedy.isEmpty ? problem : "\(problem)\n\(remedy)" }
}

extension Error {
  /// What is wrong, one line, without what to do about it.
  public var problem: String { (self as? UserError)?.problem ?? localizedDescription }
}
