// SPDX-License-Identifier: Apache-2.0

import Autodiff
import TestSupport

/// What begins and ends a model, and what works along the length of a sequence.
extension OpCases {
  static let sequences: [OpCase] =
    [
      project([17, 1, 33], columns: 33, to: 15, of: 33, groups: [0]),
      project([130, 15], columns: 64, to: 17, of: 130, groups: [0, 0, 1, 1]),
      project([33, 64], columns: 4 * 24, to: 33, of: 70, groups: [0, 1, 2, 3]),
      project([15, 17], columns: 66, to: 1, of: 17, groups: [0, 1, 0]),
      project([300, 1], columns: 130, to: 64, of: 301, groups: [0, 1]),
      project([65, 0, 2], columns: 32, to: 130, of: 65, groups: [1, 1], projections: 3),
    ] + [
      embed([17, 1, 33], width: 15), embed([15, 130], width: 64, classToken: true),
      embed([33, 2], width: 17, classToken: true, rate: 0.2), embed([400, 300], width: 33),
      pool([17, 1, 33], width: 15), pool([130, 64], width: 33), pool([700], width: 17),
      first([17, 1, 33], width: 15), first([64, 130], width: 64),
      crossEntropy(1, 15), crossEntropy(33, 10), crossEntropy(17, 2, count: 64),
      crossEntropy(33, 10, smoothing: 0.1),
      divergence(1, 15, temperature: 1), divergence(33, 10, temperature: 2),
      divergence(17, 2, temperature: 0.5, count: 64), divergence(20, 10, temperature: 20),
      selected([0], of: 1, width: 15), selected([1, 2, 5, 16], of: 17, width: 33),
      selected(Array(0..<40), of: 40, width: 17),
      stack([1, 15, 33], columns: 17), stack([64], columns: 130), stack([130, 1], columns: 1),
    ]

  static func project(
    _ lengths: [Int], columns: Int, to projected: Int, of length: Int, groups: [Int],
    projections: Int? = nil, precision: Precision = .fp32
  ) -> OpCase {
    let sequences = PackedSequences(offsets: offsets(lengths))
    let count = projections ?? Set(groups).count
    return OpCase(
      "project sequence \(lengths) to \(projected), \(columns) columns, groups \(groups)"
        + suffix(precision),
      profiled: "project sequence",
      [.init(sequences.rows, columns)] + Array(repeating: .init(projected, length), count: count)
    ) { x in
      projectSequence(
        x[0], projections: Array(x[1...]), groups: groups, sequences: sequences,
        precision: precision)
    } oracle: { x in
      Oracle.projectSequence(
        x[0], Array(x[1...]), groups: groups, offsets: sequences.offsets)
    }
  }

  static func embed(
    _ lengths: [Int], width: Int, classToken: Bool = false, rate: Float = 0
  ) -> OpCase {
    let sequences = PackedSequences(offsets: offsets(lengths), capacity: (lengths.max() ?? 0) + 2)
    let vocabulary = 17
    var random = RandomData("tokens")
    var tokens = random.integers(sequences.rows, in: 0..<vocabulary)
    if classToken { for s in 0..<sequences.count { tokens[sequences.offsets[s]] = -1 } }
    let drop = DropoutOracle(rate: rate, key: 3)
    let numbers = tokens
    return OpCase(
      "embedding \(lengths), width \(width), class token \(classToken), dropout \(rate)",
      profiled: "embedding",
      [.init(vocabulary, width), .init(sequences.capacity + 60, width)]
        + (classToken ? [.init(width)] : [])
    ) { x in
      Autodiff.embed(
        Indices(numbers), table: x[0], positions: x[1], classToken: classToken ? x[2] : nil,
        sequences: sequences, dropout: drop.dropout)
    } oracle: { x in
      let places = (0..<sequences.count).flatMap { Array(0..<sequences.length($0)) }
      return drop.apply(
        Matrix(sequences.rows, width) { row, column in
          let token = Int(numbers[row])
          return x[1][places[row], column] + (token < 0 ? x[2].values[column] : x[0][token, column])
        })
    }
  }

  static func pool(_ lengths: [Int], width: Int) -> OpCase {
    let sequences = PackedSequences(offsets: offsets(lengths))
    return OpCase(
      "mean pool \(lengths), width \(width)", profiled: "mean pool", [.init(sequences.rows, width)]
    ) {
      meanPool($0[0], sequences: sequences)
    } oracle: {
      Oracle.meanPool($0[0], offsets: sequences.offsets)
    }
  }

  static func first(_ lengths: [Int], width: Int) -> OpCase {
    let sequences = PackedSequences(offsets: offsets(lengths))
    return OpCase(
      "first pool \(lengths), width \(width)", profiled: "first pool",
      [.init(sequences.rows, width)]
    ) {
      firstPool($0[0], sequences: sequences)
    } oracle: { x in
      Matrix(sequences.count, width) { x[0][sequences.offsets[$0], $1] }
    }
  }

  static func crossEntropy(
    _ rows: Int, _ classes: Int, count: Int? = nil, smoothing: Float = 0
  ) -> OpCase {
    var random = RandomData("labels")
    let labels = random.integers(rows, in: 0..<classes)
    return OpCase(
      "cross entropy \(rows)x\(classes), count \(count ?? rows)"
        + (smoothing == 0 ? "" : ", smoothing \(smoothing)"), profiled: "cross entropy",
      [.init(rows, classes, range: -4...4)]
    ) {
      Autodiff.crossEntropy($0[0], labels: labels, count: count, smoothing: smoothing)
    } oracle: {
      let loss = Oracle.crossEntropy(
        $0[0], labels: labels, count: count ?? rows, smoothing: Double(smoothing))
      return Matrix(1, 1, [loss])
    }
  }

  static func divergence(
    _ rows: Int, _ classes: Int, temperature: Float, count: Int? = nil
  ) -> OpCase {
    var random = RandomData("targets")
    let target = random.floats(rows * classes, in: -4...4)
    return OpCase(
      "divergence \(rows)x\(classes) at \(temperature), count \(count ?? rows)",
      profiled: "divergence", [.init(rows, classes, range: -4...4)]
    ) {
      Autodiff.divergence(
        $0[0], from: Tensor(shape: [rows, classes], target), temperature: temperature, count: count)
    } oracle: {
      let loss = Oracle.divergence(
        $0[0], from: Matrix(rows, classes, target.map(Double.init)),
        temperature: Double(temperature), count: count ?? rows)
      return Matrix(1, 1, [loss])
    }
  }

  static func selected(_ rows: [Int], of count: Int, width: Int) -> OpCase {
    OpCase(
      "\(rows.count) rows of \(count), width \(width)", profiled: "selected rows",
      [.init(count, width)]
    ) {
      selectedRows($0[0], rows)
    } oracle: { x in
      Matrix(rows.count, width) { x[0][rows[$0], $1] }
    }
  }

  static func stack(_ parts: [Int], columns: Int) -> OpCase {
    OpCase(
      "stack \(parts), \(columns) columns", profiled: "stack", parts.map { .init($0, columns) }
    ) {
      stacked($0)
    } oracle: {
      Matrix.stacked($0)
    }
  }
}
