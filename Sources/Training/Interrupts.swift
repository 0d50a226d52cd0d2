import Foundation
import Synchronization

/// What signals ask of a run: stop after this step, or save now and go on.
///
/// The handlers only touch atomic flags, since nothing else is safe inside a signal handler; the
/// training loop asks at the end of each step. INT and TERM ask to stop, a second INT ends the
/// process at once with status 130, USR1 asks for a checkpoint. HUP asks to stop where that is wanted.
public enum Interrupts {
  /// The signal that asked to stop, 0 while none has.
  private static let stopSignal = Atomic<Int32>(0)
  private static let interruptCount = Atomic<Int>(0)
  private static let checkpointWanted = Atomic<Bool>(false)

  /// Installs the handlers.
  ///
  /// Call it once, on the thread that trains, before it starts.
  ///
  /// - Parameter withHangup: whether HUP asks to stop too; else `nohup` can keep it away.
  public static func install(withHangup: Bool = false) {
    // Touching the flags here makes sure that they exist before a handler runs.
    reset()
    // Dispatch's own threads start with all signals blocked.
    var wanted = sigset_t()
    sigemptyset(&wanted)
    for number in [SIGINT, SIGTERM, SIGUSR1] + (withHangup ? [SIGHUP] : []) {
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

  /// Whether the run is to stop at the end of its step.
  public static var stopRequested: Bool { stopSignal.load(ordering: .relaxed) != 0 }

  /// The name of the signal that asked to stop, for the log.
  public static var stopReason: String? {
    switch stopSignal.load(ordering: .relaxed) {
    case 0: nil
    case SIGTERM: "SIGTERM"
    case SIGHUP: "SIGHUP"
    default: "SIGINT"
    }
  }

  /// Whether a checkpoint was asked for since the previous call.
  public static func takeCheckpointRequest() -> Bool {
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
