// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Rectified elements times the sine and the cosine of their row's angle.
///
/// ```
/// φ = [max(x, 0)·sin θᵢ, max(x, 0)·cos θᵢ]    θᵢ = π·i/2L, i = 1…L
/// ```
struct CosineFeatures: FeatureKernel {
  let count: Int
  let products = (forward: 0, backward: 0)
  private let width: Int
  private let padded: Int
  private let paddedCount: Int
  /// sin θ and cos θ of every row, each from the one before by the addition theorems.
  private let angles: Storage

  init(_ sequences: PackedSequences, width: Int) {
    self.width = width
    count = 2 * width
    padded = Panels.padded(width)
    paddedCount = Panels.padded(count)
    angles = Storage(count: 2 * sequences.rowCapacity)
    let pointer = angles.pointer
    parallel(sequences.count) { sequence, _ in
      let rows = sequences.range(sequence)
      let step = Double.pi / 2 / Double(max(rows.count, 1))
      let (stepSine, stepCosine) = (sin(step), cos(step))
      var (sine, cosine) = (0.0, 1.0)
      for row in rows {
        (sine, cosine) = (
          sine * stepCosine + cosine * stepSine, cosine * stepCosine - sine * stepSine
        )
        pointer[2 * row] = Float(sine)
        pointer[2 * row + 1] = Float(cosine)
      }
    }
  }

  private func angle(_ row: Int) -> (sine: Lanes, cosine: Lanes) {
    (Lanes(repeating: angles.pointer[2 * row]), Lanes(repeating: angles.pointer[2 * row + 1]))
  }

  /// Whole vectors are written, the sines' first, then the cosines' from column D on.
  ///
  /// What vectors reach beyond D columns is overwritten, or zero.
  func write(_ rows: HeadRows, into features: UnsafeMutablePointer<Float>) {
    for (r, row) in rows.rows.enumerated() {
      let (sine, cosine) = angle(row)
      let x = rows.x + r * padded
      let to = features + r * paddedCount
      for j in stride(from: 0, to: width, by: laneCount) {
        store(lanewiseMax(load(x + j), Lanes()) * sine, to + j)
      }
      for j in stride(from: 0, to: width, by: laneCount) {
        store(lanewiseMax(load(x + j), Lanes()) * cosine, to + width + j)
      }
    }
    fillTail(features, rows.rows.count, from: count, to: paddedCount)
  }

  func pullBack(
    _ rows: HeadRows, features: UnsafePointer<Float>, _ gradient: FeatureGradient,
    into dx: UnsafeMutablePointer<Float>
  ) {
    for (r, row) in rows.rows.enumerated() {
      let (sine, cosine) = angle(row)
      let factor = Lanes(repeating: gradient.factors[r])
      let from = gradient.matrix + r * paddedCount
      for j in stride(from: 0, to: width, by: laneCount) {
        let d =
          gradient.lanes(factor, from, j) * sine
          + gradient.lanes(factor, from, width + j) * cosine
        let x = load(rows.x + r * padded + j)
        store(d.replacing(with: 0, where: x .<= 0), dx + r * padded + j)
      }
    }
  }
}
