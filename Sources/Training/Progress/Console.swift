// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// Reports the progress of a run.
///
/// It writes to standard error, since standard output is for results. Two forms, chosen by
/// `makeConsole`: a line that rewrites itself on a terminal, and plain lines now and then everywhere
/// else. Both copy what stays on the screen to the run's `log.txt`.
package protocol Console: AnyObject {
  /// Shows the progress, unless it is too early for another report.
  ///
  /// - Parameter evaluated: whether the step ended in an evaluation; such a report always stays.
  func printProgress(_ progress: TrainingProgress, evaluated: Bool)
  /// Shows a message that stays, one line or several.
  func printMessage(_ message: String)
  /// Ends the display, leaving the cursor on a fresh line.
  func finish()
}

/// Whether standard error is a screen whose lines can be rewritten.
///
/// - Parameters:
///   - environment: the process environment; `TERM=dumb` and a set `CI` ask for plain lines. There
///     are no colours, so `NO_COLOR` needs no answer.
///   - isTerminal: whether standard error is a terminal.
package func usesTerminalForm(environment: [String: String], isTerminal: Bool) -> Bool {
  isTerminal && environment["TERM"] != "dumb" && environment["CI", default: ""].isEmpty
}

/// The console that fits where standard error goes.
///
/// - Parameters:
///   - logPath: the file to copy lasting lines to, `nil` for none; it is appended to.
///   - interval: seconds between plain lines.
/// - Throws: `UserError(.cannotWrite)` when the log cannot be opened.
package func makeConsole(logPath: String?, interval: Double = 30) throws -> any Console {
  let log = try logPath.map(AppendingFile.init(linesAt:))
  // A full disk must not end the run for the sake of its log; the checkpoint will speak up.
  let keep: (String) -> Void = { try? log?.append(Array("\($0)\n".utf8)) }
  let show = StandardStreams.writeError
  let environment = ProcessInfo.processInfo.environment
  if usesTerminalForm(environment: environment, isTerminal: isatty(STDERR_FILENO) == 1) {
    return TerminalConsole(interval: interval, columns: terminalColumns, show: show, keep: keep)
  }
  return PlainConsole(interval: interval, show: show, keep: keep)
}

/// A line every now and then, for files, pipes and continuous integration.
package final class PlainConsole: Console {
  private var limiter: RateLimiter
  private let show: (String) -> Void
  private let keep: (String) -> Void

  /// Makes the console.
  ///
  /// - Parameters:
  ///   - interval: seconds between lines.
  ///   - clock: seconds from any fixed moment.
  ///   - show: takes text for the screen, line ends included.
  ///   - keep: takes lines for the log, without line ends.
  package init(
    interval: Double, clock: @escaping () -> Double = monotonicSeconds,
    show: @escaping (String) -> Void, keep: @escaping (String) -> Void
  ) {
    limiter = RateLimiter(interval: interval, clock: clock)
    self.show = show
    self.keep = keep
  }

  /// Shows the progress when a line is due.
  package func printProgress(_ progress: TrainingProgress, evaluated: Bool) {
    if limiter.isDue(evaluated || progress.step == progress.steps) {
      printMessage(progress.description)
    }
  }

  /// Shows a message.
  package func printMessage(_ message: String) {
    show(printable(message) + "\n")
    keep(message)
  }

  /// Does nothing, every line being ended already.
  package func finish() {}
}

/// One line that rewrites itself, of as many parts as the terminal has room for.
package final class TerminalConsole: Console {
  private var screenLimiter: RateLimiter
  private var logLimiter: RateLimiter
  private let columns: () -> Int
  private let show: (String) -> Void
  private let keep: (String) -> Void
  private var shown = 0

  /// Makes the console.
  ///
  /// - Parameters:
  ///   - interval: seconds between lines in the log; the screen is rewritten ten times a second.
  ///   - clock: seconds from any fixed moment.
  ///   - columns: the terminal's present width.
  ///   - show: takes text for the screen.
  ///   - keep: takes lines for the log, without line ends.
  package init(
    interval: Double, clock: @escaping () -> Double = monotonicSeconds,
    columns: @escaping () -> Int, show: @escaping (String) -> Void,
    keep: @escaping (String) -> Void
  ) {
    screenLimiter = RateLimiter(interval: 0.1, clock: clock)
    logLimiter = RateLimiter(interval: interval, clock: clock)
    self.columns = columns
    self.show = show
    self.keep = keep
  }

  /// Rewrites the line; after an evaluation it stays.
  package func printProgress(_ progress: TrainingProgress, evaluated: Bool) {
    let line = progress.description
    let lasting = evaluated || progress.step == progress.steps
    if logLimiter.isDue(lasting) { keep(line) }
    guard screenLimiter.isDue(lasting) else { return }
    // The last column stays free: a full line would make some terminals wrap.
    let cut = progress.line(columns: max(1, columns() - 1))
    show("\r" + cut + String(repeating: " ", count: max(0, shown - cut.count)))
    shown = cut.count
    if lasting { finish() }
  }

  /// Shows a message in place of the line, which comes back below it.
  package func printMessage(_ message: String) {
    show("\r" + String(repeating: " ", count: shown) + "\r" + printable(message) + "\n")
    shown = 0
    keep(message)
  }

  /// Ends the line.
  package func finish() {
    if shown > 0 { show("\n") }
    shown = 0
  }
}

/// The width of the terminal behind standard error, 80 when it is unknown.
private func terminalColumns() -> Int {
  var size = winsize()
  if ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
    return Int(size.ws_col)
  }
  return ProcessInfo.processInfo.environment["COLUMNS"].flatMap(Int.init) ?? 80
}

/// Lets a report pass at most every `interval` seconds.
private struct RateLimiter {
  let interval: Double
  let clock: () -> Double
  var previous = -Double.infinity

  init(interval: Double, clock: @escaping () -> Double) {
    self.interval = interval
    self.clock = clock
  }

  mutating func isDue(_ forced: Bool) -> Bool {
    let now = clock()
    guard forced || now - previous >= interval else { return false }
    previous = now
    return true
  }
}
