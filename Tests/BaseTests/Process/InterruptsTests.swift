// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Testing

@Suite("Interrupts", .serialized)
struct InterruptsTests {
  @Test("Signals set flags that the training loop asks for")
  func signals() {
    Interrupts.install()
    defer { Interrupts.reset() }
    #expect(!Interrupts.stopRequested && Interrupts.stopReason == nil)
    raise(SIGUSR1)
    #expect(Interrupts.takeCheckpointRequest())
    #expect(!Interrupts.takeCheckpointRequest())
    #expect(!Interrupts.stopRequested)
    raise(SIGTERM)
    raise(SIGTERM)
    #expect(Interrupts.stopRequested && Interrupts.stopReason == "SIGTERM")
  }

  @Test("Only a second INT ends the process at once, with status 130")
  func second() {
    Interrupts.reset()
    defer { Interrupts.reset() }
    #expect(Interrupts.note(SIGTERM) == nil)
    #expect(Interrupts.note(SIGINT) == nil)
    #expect(Interrupts.stopReason == "SIGINT")
    #expect(Interrupts.note(SIGUSR1) == nil)
    #expect(Interrupts.note(SIGTERM) == nil)
    #expect(Interrupts.note(SIGINT) == 130)
  }
}
