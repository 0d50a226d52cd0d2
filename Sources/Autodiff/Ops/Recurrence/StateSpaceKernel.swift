// SPDX-License-Identifier: Apache-2.0

/// State-space models on the CPU: sixteen channels of one sequence at a time, their modes in groups
/// that fit into registers, over chunks of rows that fit into the first-level cache.
///
/// Both directions are one loop over *steps*: step i of a forward system reads and writes row i of
/// its sequence, of a reversed one it reads row L - i (nothing at first) and writes row L - 1 - i.
struct StateSpaceKernel {
  /// Rows between two saved states.
  static let chunk = 64
  /// Modes that the forward loop keeps in registers; their number is rounded up to it.
  private static let together = 4

  private let u: Tensor
  private let systems: [StateSpace]
  private let skip: Tensor
  private let sequences: PackedSequences
  private let modes: Int
  private let channels: Int

  init(_ u: Tensor, _ systems: [StateSpace], _ skip: Tensor, _ sequences: PackedSequences) {
    let channels = u.columns
    let modes = (systems.first?.coefficients.rows ?? 0) / 4
    precondition(
      systems.allSatisfy { $0.coefficients.shape == [4 * modes, channels] } && modes > 0,
      "stateSpaceScan: coefficients \(systems.map(\.coefficients.shape)) for input \(u.shape)")
    precondition(
      skip.count == channels && u.rows == sequences.rows,
      "stateSpaceScan: \(skip.shape) skips, \(sequences.rows) rows for input \(u.shape)")
    self.u = u
    self.systems = systems
    self.skip = skip
    self.sequences = sequences
    self.modes = modes
    self.channels = channels
  }

  func measure(_ name: String, operations: Int, _ kernel: () -> Void) {
    let work = sequences.rows * channels * systems.count
    Profiler.shared.measure(
      name, flops: operations * work * modes, bytes: 4 * work * (64 + modes) / 32, kernel)
  }

  private var groups: Int { (channels + laneCount - 1) / laneCount }
  private var paddedModes: Int { (modes + Self.together - 1) / Self.together * Self.together }
  /// Floats of all states of sixteen channels.
  private var stateCount: Int { paddedModes * StateSpaceMode.stateCount }
  private var chunksPerSequence: Int { (sequences.capacity + Self.chunk - 1) / Self.chunk }

  /// Floats of the states before every chunk.
  var boundaryCount: Int {
    systems.count * sequences.count * groups * chunksPerSequence * stateCount
  }

  /// One direction of sixteen channels of one sequence.
  private struct Piece {
    let rows: Range<Int>
    let firstChannel: Int
    /// Channels that exist, at most sixteen.
    let width: Int
    let reversed: Bool
    let coefficients: UnsafePointer<Float>
    /// States before each chunk.
    let boundaries: UnsafeMutablePointer<Float>

    var chunks: [Range<Int>] {
      stride(from: 0, to: rows.count, by: chunk).map { $0..<min(rows.count, $0 + chunk) }
    }

    /// The row that a step reads, nil at the first step of a reversed system.
    func input(_ step: Int) -> Int? {
      if !reversed { return rows.lowerBound + step }
      return step == 0 ? nil : rows.upperBound - step
    }

    /// The row that a step writes.
    func output(_ step: Int) -> Int {
      reversed ? rows.upperBound - 1 - step : rows.lowerBound + step
    }
  }

  private func forEachGroup(_ body: (Int, Int, Workspace) -> Void) {
    let order = sequences.longestFirst
    parallel(order.count * groups) { index, workspace in
      body(order[index / groups], index % groups, workspace)
    }
  }

  private func piece(
    _ sequence: Int, _ group: Int, system: Int, _ boundaries: Storage, _ workspace: Workspace
  ) -> Piece {
    let first = group * laneCount
    let width = min(laneCount, channels - first)
    let index = (system * sequences.count + sequence) * groups + group
    return Piece(
      rows: sequences.range(sequence), firstChannel: first, width: width,
      reversed: systems[system].reversed,
      coefficients: packCoefficients(systems[system].coefficients, first, width, workspace),
      boundaries: boundaries.pointer + index * chunksPerSequence * stateCount)
  }

  /// λ and 2γ of sixteen channels, mode by mode; modes and channels that fill up are zero.
  private func packCoefficients(
    _ source: Tensor, _ first: Int, _ width: Int, _ workspace: Workspace
  ) -> UnsafePointer<Float> {
    let packed = workspace.zeros(paddedModes * StateSpaceMode.coefficientCount)
    for mode in 0..<modes {
      for part in 0..<4 {
        let from = source.pointer + (part * modes + mode) * channels + first
        let value = load(from, count: width)
        store(part < 2 ? value : value + value, packed + (mode * 4 + part) * laneCount)
      }
    }
    return UnsafePointer(packed)
  }

  /// Copies the rows of some steps into sixteen columns; a row that does not exist is zero.
  private func gather(
    _ source: UnsafePointer<Float>, _ steps: Range<Int>, _ piece: Piece,
    into target: UnsafeMutablePointer<Float>, row: (Int) -> Int?
  ) {
    for (i, step) in steps.enumerated() {
      let from = row(step).map { source + $0 * channels + piece.firstChannel }
      store(from.map { load($0, count: piece.width) } ?? Lanes(), target + i * laneCount)
    }
  }

  // MARK: Forward

  func forward(into y: Tensor, _ boundaries: Storage) {
    forEachGroup { sequence, group, workspace in
      for index in systems.indices {
        let piece = piece(sequence, group, system: index, boundaries, workspace)
        if index == 0 { writeSkip(piece, y.pointer) }
        forward(piece, y.pointer, workspace)
      }
    }
  }

  /// y = d ⊙ u.
  private func writeSkip(_ piece: Piece, _ y: UnsafeMutablePointer<Float>) {
    let d = load(skip.pointer + piece.firstChannel, count: piece.width)
    for row in piece.rows {
      let at = row * channels + piece.firstChannel
      store(d * load(u.pointer + at, count: piece.width), y + at, count: piece.width)
    }
  }

  private func forward(
    _ piece: Piece, _ y: UnsafeMutablePointer<Float>, _ workspace: Workspace
  ) {
    let states = workspace.zeros(stateCount)
    let input = workspace.floats(Self.chunk * laneCount)
    let output = workspace.floats(Self.chunk * laneCount)
    for (index, steps) in piece.chunks.enumerated() {
      (piece.boundaries + index * stateCount).update(from: states, count: stateCount)
      gather(u.pointer, steps, piece, into: input, row: piece.input)
      gather(y, steps, piece, into: output, row: piece.output)
      for mode in stride(from: 0, to: paddedModes, by: Self.together) {
        advanceModes(
          piece.coefficients + mode * StateSpaceMode.coefficientCount,
          states + mode * StateSpaceMode.stateCount, input, steps.count, addingTo: output)
      }
      for (i, step) in steps.enumerated() {
        let to = y + piece.output(step) * channels + piece.firstChannel
        store(load(output + i * laneCount), to, count: piece.width)
      }
    }
  }

  // MARK: Backward

  /// Stores or adds the gradients of u, of the coefficients and of the skip.
  func backward(_ dy: Storage, _ boundaries: Storage) {
    let size = systems.count * 4 * modes * channels + channels
    let partial = PartialSums(pieces: sequences.count, size: size)
    let du = u.node?.target()
    forEachGroup { sequence, group, workspace in
      for index in systems.indices {
        let piece = piece(sequence, group, system: index, boundaries, workspace)
        if index == 0 {
          differentiateSkip(piece, dy.pointer, du, sums: partial[sequence] + size - channels)
        }
        let sums = backward(piece, dy.pointer, du?.pointer, workspace)
        write(sums, piece, into: partial[sequence] + index * 4 * modes * channels)
      }
    }
    for (index, system) in systems.enumerated() {
      guard let target = system.coefficients.node?.target() else { continue }
      partial.reduce(index * 4 * modes * channels, 4 * modes * channels, into: target)
    }
    if let target = skip.node?.target() { partial.reduce(size - channels, channels, into: target) }
  }

  /// du = (or +=) d ⊙ dy, and Σ dy ⊙ u.
  private func differentiateSkip(
    _ piece: Piece, _ dy: UnsafePointer<Float>, _ du: GradientTarget?,
    sums: UnsafeMutablePointer<Float>
  ) {
    let d = load(skip.pointer + piece.firstChannel, count: piece.width)
    var sum = Lanes()
    for row in piece.rows {
      let at = row * channels + piece.firstChannel
      let gradient = load(dy + at, count: piece.width)
      sum.addProduct(gradient, load(u.pointer + at, count: piece.width))
      guard let du else { continue }
      let old = du.accumulate ? load(du.pointer + at, count: piece.width) : Lanes()
      store(old.addingProduct(gradient, d), du.pointer + at, count: piece.width)
    }
    store(sum, sums + piece.firstChannel, count: piece.width)
  }

  /// Adds to du.
  ///
  /// - Returns: the sums of every mode, see ``StateSpaceReturn``.
  private func backward(
    _ piece: Piece, _ dy: UnsafePointer<Float>, _ du: UnsafeMutablePointer<Float>?,
    _ workspace: Workspace
  ) -> UnsafePointer<Float> {
    let sums = workspace.zeros(paddedModes * StateSpaceReturn.sumCount)
    let adjoints = workspace.zeros(stateCount)
    let input = workspace.floats(Self.chunk * laneCount)
    let gradient = workspace.floats(Self.chunk * laneCount)
    let dInput = workspace.floats(Self.chunk * laneCount)
    let history = workspace.floats(2 * (Self.chunk + 1) * StateSpaceMode.stateCount)
    for (index, steps) in piece.chunks.enumerated().reversed() {
      gather(u.pointer, steps, piece, into: input, row: piece.input)
      gather(dy, steps, piece, into: gradient, row: piece.output)
      dInput.update(repeating: 0, count: steps.count * laneCount)
      for mode in stride(from: 0, to: modes, by: 2) {
        let coefficients = piece.coefficients + mode * StateSpaceMode.coefficientCount
        let place = mode * StateSpaceMode.stateCount
        recordModes(
          coefficients, piece.boundaries + index * stateCount + place, input, steps.count,
          into: history)
        retreatModes(
          coefficients, adjoints + place, sums + mode * StateSpaceReturn.sumCount,
          history: history, gradient, steps.count, addingTo: dInput)
      }
      if let du { scatter(dInput, steps, piece, addingTo: du) }
    }
    return UnsafePointer(sums)
  }

  private func scatter(
    _ source: UnsafePointer<Float>, _ steps: Range<Int>, _ piece: Piece,
    addingTo target: UnsafeMutablePointer<Float>
  ) {
    for (i, step) in steps.enumerated() {
      guard let row = piece.input(step) else { continue }
      let to = target + row * channels + piece.firstChannel
      store(load(to, count: piece.width) + load(source + i * laneCount), to, count: piece.width)
    }
  }

  /// dλ = 2γ̄·Σ r·h̄ and dγ = 2·Σ dy·h̄ of one sequence, in the layout of the coefficients.
  private func write(
    _ sums: UnsafePointer<Float>, _ piece: Piece, into target: UnsafeMutablePointer<Float>
  ) {
    for mode in 0..<modes {
      let gain = piece.coefficients + mode * StateSpaceMode.coefficientCount + 2 * laneCount
      let (gainRe, gainIm) = (load(gain), load(gain + laneCount))
      let sum = sums + mode * StateSpaceReturn.sumCount
      let (re, im) = (load(sum), load(sum + laneCount))
      let parts = (
        gainRe * re + gainIm * im, gainRe * im - gainIm * re,
        2 * load(sum + 2 * laneCount), 2 * load(sum + 3 * laneCount)
      )
      let to = target + mode * channels + piece.firstChannel
      let part = modes * channels
      store(parts.0, to, count: piece.width)
      store(parts.1, to + part, count: piece.width)
      store(parts.2, to + 2 * part, count: piece.width)
      store(parts.3, to + 3 * part, count: piece.width)
    }
  }
}
