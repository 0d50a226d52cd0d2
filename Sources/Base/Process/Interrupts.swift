// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// What signals ask of a run: stop after this step, or save now and go on.
///
/// The handlers only touch atomic flags, since nothing else is safe inside a signal handler; long
/// work asks between its pieces. INT, TERM and what else schedulers send before they kill ask to
/// stop, a second INT ends the process at once with status 130, USR1 asks for a checkpoint.
package enum Interrupts {
  /// The signals that ask to stop, with their names.
  private static let stopSignals: [(number: Int32, name: String)] = [
    (SIGINT, "SIGINT"), (SIGTERM, "SIGTERM"), (SIGHUP, "SIGHUP"), (SIGUSR2, "SIGUSR2"),
    (SIGXCPU, "SIGXCPU"), (SIGPWR, "SIGPWR"),
  ]
  /// The signal that asked to stop, 0 while none has.
  private static let stopSignal = Atomic<Int32>(0)
  private static let interruptCount = Atomic<Int>(0)
  private static let checkpointWanted = Atomic<Bool>(false)

  /// Installs the handlers; HUP stays ignored where it was, as under `nohup`.
  ///
  /// Call it once, on the thread that trains, before it starts.
  package static func install() {
    // Touching the flags here makes sure that they exist before a handler runs.
    reset()
    // Dispatch's own threads start with all signals blocked.
    var wanted = sigset_t()
    sigemptyset(&wanted)
    for number in stopSignals.map(\.number) + [SIGUSR1]
    where number != SIGHUP || !isIgnored(SIGHUP) {
      sigaddset(&wanted, number)
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { number in
        if let status = Interrupts.note(number) { _exit(status) }
      }
      // Without this flag a signal would make reads and writes fail half-way.
      action.sa_flags = SA_RESTART
      sigaction(number, &action, nil)
    }
    pthread_sigmask(SIG_UNBLOCK, &wanted, nil)
  }

  private static func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    guard sigaction(number, nil, &action) == 0 else { return false }
    // A C function's address, of which SIG_IGN is 1.
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
  }

  /// Whether the run is to stop at the end of its step.
  package static var stopRequested: Bool { stopSignal.load(ordering: .relaxed) != 0 }

  /// The name of the signal that asked to stop, for the log.
  package static var stopReason: String? {
    let number = stopSignal.load(ordering: .relaxed)
    return stopSignals.first { $0.number == number }?.name
  }

  /// What to tell of it: `stopped by Ctrl-C`, `stopped by SIGTERM`.
  package static var stopText: String? {
    stopReason.map { "stopped by \($0 == "SIGINT" ? "Ctrl-C" : $0)" }
  }

  /// Ends long work that leaves nothing half done, such as the generation of data.
  ///
  /// - Throws: `UserError(.stoppedEarly)` when a signal has asked to stop.
  package static func check() throws {
    guard let text = stopText else { return }
    throw UserError(.stoppedEarly, text, remedy: "continue by typing the same command again")
  }

  /// Whether a checkpoint was asked for since the previous call.
  package static func takeCheckpointRequest() -> Bool {
    checkpointWanted.exchange(false, ordering: .relaxed)
  }

  /// Forgets all signals so far.
  package static func reset() {
    stopSignal.store(0, ordering: .relaxed)
    interruptCount.store(0, ordering: .relaxed)
    checkpointWanted.store(false, ordering: .relaxed)
  }

  /// Notes a signal.
  ///
  /// Only INT counts towards leaving at once: on one press of Ctrl-C, `make` passes a TERM on to
  /// programs that the terminal has already sent an INT.
  ///
  /// - Returns: the status to leave the process with at once, or `nil` to go on.
  package static func note(_ number: Int32) -> Int32? {
    if number == SIGUSR1 {
      checkpointWanted.store(true, ordering: .relaxed)
      return nil
    }
    stopSignal.store(number, ordering: .relaxed)
    guard number == SIGINT else { return nil }
    return interruptCount.add(1, ordering: .relaxed).newValue > 1 ? 128 + SIGINT : nil
  }
}
