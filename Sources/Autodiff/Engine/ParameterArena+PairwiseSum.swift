// SPDX-License-Identifier: Apache-2.0

extension ParameterArena {
  /// Adds up what some terms return and leave in the gradients, pairwise.
  ///
  /// ```
  /// sum(a ..< b) = sum(a ..< m) + sum(m ..< b)    m = a + ⌈(b - a)/2⌉
  /// ```
  /// The order of additions depends on the number of terms alone. Where it is a power of two, each part
  /// of the tree is the sum of so many terms that follow each other: whoever else computes it gets the
  /// same bits.
  ///
  /// - Parameters:
  ///   - terms: at least one, worked through in their order.
  ///   - add: adds up what terms return.
  ///   - term: finds the gradients cleared and leaves its own.
  /// - Precondition: the gradients are cleared.
  /// - Returns: the sum of what the terms returned; that of their gradients is in their place.
  /// - Complexity: one copy of the gradients, and one addition, for each term but the first; at most
  ///   ⌈log₂ n⌉ copies at a time.
  package func pairwiseSum<Sum>(
    _ terms: Range<Int>, adding add: (Sum, Sum) -> Sum, _ term: (Int) -> Sum
  ) -> Sum {
    precondition(!terms.isEmpty, "pairwiseSum: there are no terms")
    if terms.count == 1 { return term(terms.lowerBound) }
    let middle = terms.lowerBound + PartialSums.half(terms.count)
    let first = pairwiseSum(terms.lowerBound..<middle, adding: add, term)
    let gradient = takeGradients()
    let second = pairwiseSum(middle..<terms.upperBound, adding: add, term)
    addGradients(gradient)
    return add(first, second)
  }

  /// Clears the gradients.
  ///
  /// - Returns: what they were.
  private func takeGradients() -> Storage {
    completeGradients()
    let copy = Storage(count: count)
    combine(gradients.pointer, count: count, into: .init(pointer: copy.pointer, accumulate: false))
    clearGradients()
    return copy
  }

  private func addGradients(_ other: Storage) {
    completeGradients()
    combine(other.pointer, count: count, into: .init(pointer: gradients.pointer, accumulate: true))
  }
}
