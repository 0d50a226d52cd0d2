// SPDX-License-Identifier: Apache-2.0

import Runs
import Testing

@Suite("The state of a training")
struct TrainingStateTests {
  @Test("Joules and operations are of all steps, or not known")
  func sums() {
    var state = TrainingState()
    state.took(tokens: 5, seconds: 1, joules: 2, flops: 10)
    state.took(tokens: 5, seconds: 1, joules: 3, flops: 10)
    #expect(state.step == 2 && state.tokens == 10 && state.trainingSeconds == 2)
    #expect(state.joules == 5 && state.flops == 20)
    // On another machine, without counters.
    state.took(tokens: 5, seconds: 1, joules: nil, flops: 10)
    state.took(tokens: 5, seconds: 1, joules: 1, flops: 10)
    #expect(state.joules == nil && state.flops == 40)
  }

  @Test("A checkpoint of before they were counted leaves them unknown")
  func old() {
    var state = TrainingState()
    state.step = 7
    state.took(tokens: 5, seconds: 1, joules: 2, flops: 10)
    #expect(state.joules == nil && state.flops == nil)
  }
}
