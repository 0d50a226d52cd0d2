// SPDX-License-Identifier: Apache-2.0

extension Oracle {
  /// Every two rows a and b as one: a, b, a ⊙ b and a − b.
  package static func pairFeatures(_ x: Matrix) -> Matrix {
    let width = x.columns
    return Matrix(x.rows / 2, 4 * width) { pair, column in
      let (a, b) = (x[2 * pair, column % width], x[2 * pair + 1, column % width])
      return [a, b, a * b, a - b][column / width]
    }
  }
}
