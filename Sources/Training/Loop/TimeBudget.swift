// SPDX-License-Identifier: Apache-2.0

/// The arithmetic of `--time-limit`: how many steps fit, and whether one more does when all that
/// follows the last step is to end in time.
///
/// After its last step a run evaluates on the validation split, saves, and tests the last weights
/// and the best. All costs are measured as the run goes on; the dearest ones are forgotten slowly,
/// and some time is kept in hand.
///
/// ```
/// end = 1.1·(V·e + 2·T·e + 2·s) + kept      V, T: examples; e, s: seconds of an example, a save
/// ```
package struct TimeBudget {
  /// Seconds that the run may take, from its beginning.
  package let limit: Double
  /// Examples of the validation split.
  package let validationCount: Int
  /// Examples of the test split.
  package let testCount: Int
  /// Steps between two evaluations.
  package let evalEvery: Int
  private var step = 0.0
  private var example = 0.0
  private var save = 0.0

  package init(limit: Double, validationCount: Int, testCount: Int, evalEvery: Int) {
    self.limit = limit
    self.validationCount = validationCount
    self.testCount = testCount
    self.evalEvery = evalEvery
  }

  /// Notes what an optimizer step took.
  package mutating func noteStep(seconds: Double) { step = max(seconds, 0.98 * step) }

  /// Notes what it took to evaluate some examples.
  package mutating func noteEvaluation(seconds: Double, examples: Int) {
    guard examples > 0 else { return }
    example = max(seconds / Double(examples), 0.8 * example)
  }

  /// Notes what a checkpoint took.
  package mutating func noteSave(seconds: Double) { save = max(seconds, 0.8 * save) }

  /// Seconds of one pass over the validation split, and of saving.
  private var evaluation: Double { Double(validationCount) * example + save }

  /// Seconds of testing the last and the best weights.
  private var tests: Double { 2 * Double(testCount) * example + save }

  /// What is kept in hand, for the result's files and the unforeseen.
  private var kept: Double { min(0.1 + 0.02 * limit, 60) }

  /// Seconds from the last step to the end of the run.
  package var endSeconds: Double { 1.1 * (evaluation + tests) + kept }

  /// Steps that fit into the rest of the time, evaluations on the way and the end included; 0 when
  /// there is no time for the end alone.
  package func steps(after elapsed: Double) -> Int {
    // The schedule should end, not be cut off: steps may be slower than those measured.
    let left = 0.95 * (limit - elapsed - endSeconds)
    let perStep = max(step + evaluation / Double(evalEvery), 1e-9)
    return max(0, Int(min(left / perStep, 1e15)))
  }

  /// Whether the run can take one more step and still end in time.
  package func hasTimeForStep(after elapsed: Double) -> Bool {
    elapsed + step + endSeconds <= limit
  }

  /// Whether what is left suffices for the end.
  ///
  /// - Parameter evaluated: whether the validation pass of the last step is done.
  package func hasTimeForEnd(after elapsed: Double, evaluated: Bool) -> Bool {
    elapsed + tests + (evaluated ? 0 : evaluation) <= limit
  }
}
