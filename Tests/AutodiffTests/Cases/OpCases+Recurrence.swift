// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Foundation
import TestSupport

/// Recurrences, the Fourier transform, and what stands around them. Lengths leave the chunks (64 rows)
/// of the state-space scan empty, full, and begun; states and channels leave vectors (16) and panels
/// of 16 frequencies in the same ways.
extension OpCases {
  static let recurrence: [OpCase] =
    [
      scan([17, 1, 33], states: 1), scan([130, 0, 15], states: 17, reversed: true),
      scan([65, 64], states: 33), scan([3, 2, 1, 5, 4], states: 65, reversed: true),
      scan([40], states: 150), scan([1], states: 16), scan([33], states: 64, reversed: true),
    ] + [
      stateSpace([1, 63, 64, 65, 130], channels: 17, modes: 3, [false, true]),
      stateSpace([130, 1], channels: 1, modes: 1, [false]),
      stateSpace([65, 0, 129], channels: 33, modes: 4, [true]),
      stateSpace([17], channels: 16, modes: 5, [false, true]),
      stateSpace([64, 128, 2], channels: 15, modes: 9, [true, false], spare: 70),
    ] + [
      hold(modes: 1, channels: 1), hold(modes: 5, channels: 17),
      hold(modes: 3, channels: 15, shared: true),
      layer([65, 1, 40], modes: 3, channels: 5), layer([33], modes: 2, channels: 17, shared: true),
      ring(1), ring(17), rows(6, 15, period: 3), rows(17, 33, period: 17),
      columns(33, 17), columns(700, 15), columns(1, 64),
      residualSum(1, 15), residualSum(33, 17), residualSum(130, 15, rate: 0.3),
      gated(1, 15, 17), gated(33, 64, 64), gated(130, 33, 15, rate: 0.2), gated(700, 17, 16),
      gated(65, 16, 33, .relu), gated(17, 15, 15, .identity, rate: 0.1),
    ] + [
      fourier([17, 1, 33], width: 15, length: 33), fourier([64, 0, 5], width: 64, length: 64),
      fourier([1], width: 1, length: 1), fourier([2, 1], width: 2, length: 2),
      fourier([130, 65], width: 33, length: 130), fourier([60, 59], width: 34, length: 60),
      fourier([97, 15], width: 16, length: 97), fourier([49], width: 3, length: 49),
      fourier([15, 100], width: 130, length: 128), fourier([33], width: 17, length: 2000),
      residualFourier([64, 0, 5], width: 64, length: 70),
      residualFourier([130, 1], width: 33, length: 130),
      residualFourier([66, 15], width: 34, length: 66, rate: 0.2),
    ]

  /// - Parameter radius: of all poles, which are then spread over the circle.
  static func scan(
    _ lengths: [Int], states: Int, reversed: Bool = false, radius: Float? = nil
  ) -> OpCase {
    let sequences = PackedSequences(offsets: offsets(lengths), capacity: (lengths.max() ?? 0) + 3)
    let poles =
      radius.map { circle(of: $0, states) } ?? OpCase.Input(2, states, range: -0.68...0.68)
    return OpCase(
      "diagonal scan \(lengths), \(states) states\(reversed ? ", reversed" : "")"
        + (radius.map { ", poles of radius \($0)" } ?? ""),
      profiled: "diagonal scan", [.init(sequences.rows, 2 * states), poles]
    ) {
      diagonalScan($0[0], poles: $0[1], sequences: sequences, reversed: reversed)
    } oracle: {
      Oracle.diagonalScan($0[0], $0[1], offsets: sequences.offsets, reversed: reversed)
    }
  }

  /// Poles of one radius whose angles fall from a half turn to none, [2, S].
  private static func circle(of radius: Float, _ states: Int) -> OpCase.Input {
    .init(2, states, range: 0...0) { part, state in
      let angle = Float.pi * Float(states - 1 - state) / Float(states)
      return radius * (part == 0 ? Foundation.cos(angle) : Foundation.sin(angle))
    }
  }

  static func stateSpace(
    _ lengths: [Int], channels: Int, modes: Int, _ reversed: [Bool], spare: Int = 0
  ) -> OpCase {
    let sequences = PackedSequences(
      offsets: offsets(lengths), capacity: (lengths.max() ?? 0) + spare)
    return OpCase(
      "state space scan \(lengths), \(channels) channels of \(modes) modes, reversed \(reversed)",
      profiled: "state space scan",
      [.init(sequences.rows, channels), .init(channels)]
        + reversed.map { _ in .init(4 * modes, channels, range: -0.65...0.65) }
    ) { x in
      stateSpaceScan(
        x[0], zip(x[2...], reversed).map { StateSpace($0, reversed: $1) }, skip: x[1],
        sequences: sequences)
    } oracle: { x in
      Oracle.stateSpaceScan(
        x[0], zip(x[2...], reversed).map { ($0, $1) }, skip: x[1].values,
        offsets: sequences.offsets)
    }
  }

  static func hold(modes: Int, channels: Int, shared: Bool = false) -> OpCase {
    let own = shared ? 1 : channels
    return OpCase(
      "zero-order hold, \(modes) modes, \(channels) channels\(shared ? ", shared" : "")",
      profiled: "zero-order hold",
      [
        .init(channels, range: -5 ... -1), .init(modes, own, range: -1.5...0.5),
        .init(modes, own, range: 0...9), .init(2 * modes, channels),
      ]
    ) {
      zeroOrderHold(logStep: $0[0], logDecay: $0[1], frequency: $0[2], output: $0[3])
    } oracle: {
      Oracle.zeroOrderHold(
        logStep: $0[0].values, logDecay: $0[1], frequency: $0[2], output: $0[3])
    }
  }

  /// A layer with its continuous parameters: both operations in a row, in both directions.
  static func layer(
    _ lengths: [Int], modes: Int, channels: Int, shared: Bool = false
  ) -> OpCase {
    let sequences = PackedSequences(offsets: offsets(lengths))
    let own = shared ? 1 : channels
    return OpCase(
      "S4D layer \(lengths), \(modes) modes, \(channels) channels\(shared ? ", shared" : "")",
      profiled: "state space scan",
      [
        .init(sequences.rows, channels), .init(channels), .init(channels, range: -3 ... -1),
        .init(modes, own, range: -1.5...0.5), .init(modes, own, range: 0...9),
        .init(2 * modes, channels), .init(2 * modes, channels),
      ]
    ) { x in
      let systems = [false, true].map { reversed in
        StateSpace(
          zeroOrderHold(
            logStep: x[2], logDecay: x[3], frequency: x[4], output: x[reversed ? 6 : 5]),
          reversed: reversed)
      }
      return stateSpaceScan(x[0], systems, skip: x[1], sequences: sequences)
    } oracle: { x in
      let systems = [false, true].map { reversed in
        let coefficients = Oracle.zeroOrderHold(
          logStep: x[2].values, logDecay: x[3], frequency: x[4], output: x[reversed ? 6 : 5])
        return (coefficients: coefficients, reversed: reversed)
      }
      return Oracle.stateSpaceScan(
        x[0], systems, skip: x[1].values, offsets: sequences.offsets)
    }
  }

  static func ring(_ states: Int) -> OpCase {
    OpCase(
      "ring poles, \(states)", profiled: "ring poles",
      [.init(states, range: -4...0.5), .init(states, range: -3...1.8)]
    ) {
      ringPoles(logDecay: $0[0], logPhase: $0[1])
    } oracle: {
      Oracle.ringPoles($0[0].values, $0[1].values)
    }
  }

  static func rows(_ n: Int, _ columns: Int, period: Int) -> OpCase {
    OpCase(
      "scaled rows \(n)x\(columns), period \(period)", profiled: "scaled rows",
      [.init(n, columns), .init(period)]
    ) {
      scaledRows($0[0], logScales: $0[1])
    } oracle: { x in
      let scales = x[1].map(Foundation.exp)
      return x[0].mapPlaces { row, _, value in value * scales.values[row % period] }
    }
  }

  static func columns(_ n: Int, _ columns: Int) -> OpCase {
    OpCase(
      "scaled columns \(n)x\(columns)", profiled: "scaled columns",
      [.init(n, columns), .init(columns)]
    ) {
      scaledColumns($0[0], scales: $0[1])
    } oracle: { x in
      x[0].mapPlaces { $2 * x[1].values[$1] }
    }
  }

  static func residualSum(_ n: Int, _ width: Int, rate: Float = 0) -> OpCase {
    let drop = DropoutOracle(rate: rate, key: 5 << 33, firstRow: 4)
    return OpCase(
      "residual sum \(n)x\(width), dropout \(rate)", profiled: "residual sum",
      [.init(n, width), .init(n, width)]
    ) {
      Autodiff.residualSum($0[0], adding: $0[1], dropout: drop.dropout)
    } oracle: {
      $0[0] + drop.apply($0[1])
    }
  }

  static func gated(
    _ n: Int, _ inputs: Int, _ width: Int, _ activation: Activation = .gelu, rate: Float = 0,
    precision: Precision = .fp32
  ) -> OpCase {
    let inside = DropoutOracle(rate: rate, key: 31)
    let outside = DropoutOracle(rate: rate, key: 32 << 37, firstRow: 3)
    return OpCase(
      "gated linear \(n)x\(inputs)x\(width) \(activation), dropout \(rate)" + suffix(precision),
      profiled: "gated linear",
      [.init(n, width), .init(n, inputs), .init(2 * width, inputs), .init(2 * width)]
    ) { x in
      gatedLinear(
        x[0], adding: x[1], weight: x[2], bias: x[3], activation: activation,
        dropout: (inside.dropout, outside.dropout), precision: precision)
    } oracle: { x in
      let inner = inside.apply(x[1].map(function(activation)))
      return x[0] + outside.apply(Oracle.gated(Oracle.linear(inner, x[2], x[3].values)))
    }
  }

  static func fourier(_ lengths: [Int], width: Int, length: Int) -> OpCase {
    let sequences = PackedSequences(offsets: offsets(lengths))
    return OpCase(
      "Fourier mix \(lengths) of \(length), width \(width)", profiled: "Fourier mix",
      [.init(sequences.rows, width)]
    ) {
      fourierMix($0[0], plan: FourierPlan(length: length, width: width), sequences: sequences)
    } oracle: {
      Oracle.fourierMix($0[0], length: length, offsets: sequences.offsets)
    }
  }

  static func residualFourier(
    _ lengths: [Int], width: Int, length: Int, rate: Float = 0
  ) -> OpCase {
    let sequences = PackedSequences(offsets: offsets(lengths))
    let branch = DropoutOracle(rate: rate, key: 79 << 40, firstRow: 3)
    return OpCase(
      "residual Fourier mix \(lengths) of \(length), width \(width), dropout \(rate)",
      profiled: "residual Fourier mix",
      [.init(sequences.rows, width), .init(width, range: 0.5...1.5), .init(width)]
    ) {
      residualFourierMix(
        $0[0], norm: Norm(scale: $0[1], shift: $0[2]),
        plan: FourierPlan(length: length, width: width), sequences: sequences,
        dropout: branch.dropout)
    } oracle: {
      let normalized = Oracle.layerNorm($0[0], scale: $0[1].values, shift: $0[2].values)
      return $0[0]
        + branch.apply(
          Oracle.fourierMix(normalized, length: length, offsets: sequences.offsets))
    }
  }
}
