// SPDX-License-Identifier: Apache-2.0

/// One mode of sixteen channels: its coefficients and its state, in registers.
struct StateSpaceMode {
  /// Floats of a mode's coefficients in memory: λ and 2γ, real and imaginary parts.
  static let coefficientCount = 4 * laneCount
  /// Floats of a mode's state in memory.
  static let stateCount = 2 * laneCount

  private let poleRe: Lanes
  private let poleIm: Lanes
  private let gainRe: Lanes
  private let gainIm: Lanes
  private var re: Lanes
  private var im: Lanes

  @inline(__always)
  init(_ coefficients: UnsafePointer<Float>, _ state: UnsafePointer<Float>) {
    poleRe = load(coefficients)
    poleIm = load(coefficients + laneCount)
    gainRe = load(coefficients + 2 * laneCount)
    gainIm = load(coefficients + 3 * laneCount)
    re = load(state)
    im = load(state + laneCount)
  }

  /// h = λ·h + u.
  @inline(__always)
  mutating func advance(_ u: Lanes) {
    let newRe = u.addingProduct(poleRe, re).addingProduct(-poleIm, im)
    im = (poleRe * im).addingProduct(poleIm, re)
    re = newRe
  }

  /// y + 2·Re(γ·h).
  @inline(__always)
  func adding(to y: Lanes) -> Lanes {
    y.addingProduct(gainRe, re).addingProduct(-gainIm, im)
  }

  @inline(__always)
  func store(into state: UnsafeMutablePointer<Float>) {
    Autodiff.store(re, state)
    Autodiff.store(im, state + laneCount)
  }
}

/// Four modes through the rows of a chunk: 24 multiply-adds a row on values in registers.
@inline(never)
func advanceModes(
  _ coefficients: UnsafePointer<Float>, _ states: UnsafeMutablePointer<Float>,
  _ u: UnsafePointer<Float>, _ rows: Int, addingTo y: UnsafeMutablePointer<Float>
) {
  let (c, s) = (StateSpaceMode.coefficientCount, StateSpaceMode.stateCount)
  var m0 = StateSpaceMode(coefficients, states)
  var m1 = StateSpaceMode(coefficients + c, states + s)
  var m2 = StateSpaceMode(coefficients + 2 * c, states + 2 * s)
  var m3 = StateSpaceMode(coefficients + 3 * c, states + 3 * s)
  for row in 0..<rows {
    let input = load(u + row * laneCount)
    m0.advance(input)
    m1.advance(input)
    m2.advance(input)
    m3.advance(input)
    let half = m1.adding(to: m0.adding(to: load(y + row * laneCount)))
    let other = m3.adding(to: m2.adding(to: Lanes()))
    store(half + other, y + row * laneCount)
  }
  m0.store(into: states)
  m1.store(into: states + s)
  m2.store(into: states + 2 * s)
  m3.store(into: states + 3 * s)
}

/// The states of two modes before the rows of a chunk and after the last: `history` gets `rows` + 1
/// pairs of them.
@inline(never)
func recordModes(
  _ coefficients: UnsafePointer<Float>, _ states: UnsafePointer<Float>,
  _ u: UnsafePointer<Float>, _ rows: Int, into history: UnsafeMutablePointer<Float>
) {
  let (c, s) = (StateSpaceMode.coefficientCount, StateSpaceMode.stateCount)
  var m0 = StateSpaceMode(coefficients, states)
  var m1 = StateSpaceMode(coefficients + c, states + s)
  m0.store(into: history)
  m1.store(into: history + s)
  for row in 0..<rows {
    let input = load(u + row * laneCount)
    m0.advance(input)
    m1.advance(input)
    m0.store(into: history + 2 * (row + 1) * s)
    m1.store(into: history + (2 * (row + 1) + 1) * s)
  }
}

/// One mode of sixteen channels on the way back.
///
/// ```
/// r_t = dy_t + λ̄·r_{t+1}      du_t += Re(2γ̄·r_t)
/// dγ = 2·Σ dy_t·h̄_t          dλ = 2γ̄·Σ r_t·h̄_{t-1}
/// ```
/// The factors in front of the two sums are left to the end.
struct StateSpaceReturn {
  /// Floats of a mode's sums in memory: Σ r·h̄, then Σ dy·h̄.
  static let sumCount = 4 * laneCount

  private let poleRe: Lanes
  private let poleIm: Lanes
  private let gainRe: Lanes
  private let gainIm: Lanes
  private var re: Lanes
  private var im: Lanes
  private var stateRe: Lanes
  private var stateIm: Lanes
  private var dPoleRe: Lanes
  private var dPoleIm: Lanes
  private var dGainRe: Lanes
  private var dGainIm: Lanes

  @inline(__always)
  init(
    _ coefficients: UnsafePointer<Float>, _ adjoint: UnsafePointer<Float>,
    _ sums: UnsafePointer<Float>, lastState: UnsafePointer<Float>
  ) {
    poleRe = load(coefficients)
    poleIm = load(coefficients + laneCount)
    gainRe = load(coefficients + 2 * laneCount)
    gainIm = load(coefficients + 3 * laneCount)
    re = load(adjoint)
    im = load(adjoint + laneCount)
    stateRe = load(lastState)
    stateIm = load(lastState + laneCount)
    dPoleRe = load(sums)
    dPoleIm = load(sums + laneCount)
    dGainRe = load(sums + 2 * laneCount)
    dGainIm = load(sums + 3 * laneCount)
  }

  /// One row, before which the state was `before`.
  ///
  /// - Returns: du plus this mode's part of it.
  @inline(__always)
  mutating func retreat(_ dy: Lanes, before: UnsafePointer<Float>, du: Lanes) -> Lanes {
    let newRe = dy.addingProduct(poleRe, re).addingProduct(poleIm, im)
    im = (poleRe * im).addingProduct(-poleIm, re)
    re = newRe
    dGainRe.addProduct(dy, stateRe)
    dGainIm.addProduct(-dy, stateIm)
    stateRe = load(before)
    stateIm = load(before + laneCount)
    dPoleRe = dPoleRe.addingProduct(re, stateRe).addingProduct(im, stateIm)
    dPoleIm = dPoleIm.addingProduct(im, stateRe).addingProduct(-re, stateIm)
    return du.addingProduct(gainRe, re).addingProduct(gainIm, im)
  }

  @inline(__always)
  func store(adjoint: UnsafeMutablePointer<Float>, sums: UnsafeMutablePointer<Float>) {
    Autodiff.store(re, adjoint)
    Autodiff.store(im, adjoint + laneCount)
    Autodiff.store(dPoleRe, sums)
    Autodiff.store(dPoleIm, sums + laneCount)
    Autodiff.store(dGainRe, sums + 2 * laneCount)
    Autodiff.store(dGainIm, sums + 3 * laneCount)
  }
}

/// Two modes back through the rows of a chunk, whose states `history` holds.
@inline(never)
func retreatModes(
  _ coefficients: UnsafePointer<Float>, _ adjoints: UnsafeMutablePointer<Float>,
  _ sums: UnsafeMutablePointer<Float>, history: UnsafePointer<Float>,
  _ dy: UnsafePointer<Float>, _ rows: Int, addingTo du: UnsafeMutablePointer<Float>
) {
  let (c, s) = (StateSpaceMode.coefficientCount, StateSpaceMode.stateCount)
  let last = history + 2 * rows * s
  let sums1 = sums + StateSpaceReturn.sumCount
  var m0 = StateSpaceReturn(coefficients, adjoints, sums, lastState: last)
  var m1 = StateSpaceReturn(coefficients + c, adjoints + s, sums1, lastState: last + s)
  // A `stride` through the rows would be a call in the loop, which keeps nothing in registers.
  var row = rows
  while row > 0 {
    row -= 1
    let gradient = load(dy + row &* laneCount)
    let before = history + 2 &* row &* s
    let half = m0.retreat(gradient, before: before, du: load(du + row &* laneCount))
    store(m1.retreat(gradient, before: before + s, du: half), du + row &* laneCount)
  }
  m0.store(adjoint: adjoints, sums: sums)
  m1.store(adjoint: adjoints + s, sums: sums1)
}
