// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Models

/// Removes weights of the blocks' linear maps during a training, in each matrix the same share.
///
/// ```
/// magnitude   keeps the ⌈(1 - s)·count⌉ largest |w|
/// movement    keeps those of the largest scores S, S = S - rate·(∂L/∂w)·w after each step, from 0
/// ```
/// A weight that is removed is 0 from then on, and so are its moments. By movement it may come back as it
/// was: the gradient of a weight that is 0 still moves its score. Of equals the first is kept.
///
/// Source: Zhu and Gupta (2017), arXiv 1710.01878; Sanh, Wolf and Rush, "Movement pruning" (2020), arXiv
/// 2005.07683.
/// Differs: their weights go on learning while they are removed, and their scores are trained by Adam.
package final class GradualPruning {
  /// One matrix and what is known of its weights.
  private struct Matrix {
    let parameter: Parameter
    /// Places in the matrix that are removed, ascending.
    var removed: [Int] = []
    /// What was at these places.
    var values: [Float] = []
    /// Of all places; empty without scores.
    var scores: [Float] = []
  }

  private let settings: PruningSettings
  private let schedule: PruningSchedule
  private let model: Classifier
  private var matrices: [Matrix]

  /// The pruning of a run; nil where it has none.
  ///
  /// - Throws: `UserError(.configuration)` where the model's blocks have no linear maps.
  package init?(_ configuration: RunConfiguration, _ model: Classifier) throws {
    guard configuration.pruning.prune != .none else { return nil }
    settings = configuration.pruning
    schedule = PruningSchedule(settings, steps: configuration.training.steps)
    self.model = model
    let scored = settings.prune == .movement
    matrices = model.prunable.map { parameter in
      Matrix(
        parameter: parameter,
        scores: scored ? [Float](repeating: 0, count: parameter.count) : [])
    }
    guard !matrices.isEmpty else {
      throw UserError(
        .configuration,
        "train.prune is \(settings.prune.rawValue), but the blocks of this "
          + "\(model.configuration.name) have no linear maps",
        remedy: "leave it out")
    }
  }

  /// Moves the scores, while the gradients of a step are there.
  func willUpdate() {
    guard settings.prune == .movement else { return }
    let rate = Float(settings.pruneScoreRate)
    for index in matrices.indices {
      let parameter = matrices[index].parameter
      let gradient = model.parameters.values.gradient(parameter.range)
      var values = parameter.values
      for (place, value) in zip(matrices[index].removed, matrices[index].values) {
        values[place] = value
      }
      for i in gradient.indices { matrices[index].scores[i] -= rate * gradient[i] * values[i] }
    }
  }

  /// Removes what is due after a step, and keeps what is removed at 0.
  func didUpdate(step: Int, _ optimizer: AdamW) {
    let share = schedule.share(after: step)
    for index in matrices.indices {
      if let share { choose(index, share, optimizer) }
      let parameter = matrices[index].parameter
      guard !matrices[index].removed.isEmpty else { continue }
      var values = parameter.values
      for place in matrices[index].removed { values[place] = 0 }
      model.parameters.values.fill(parameter.range, values)
    }
  }

  /// Whether everything that is to go is gone after a step.
  func isOver(after step: Int) -> Bool { schedule.isOver(after: step) }

  /// Chooses anew which weights of a matrix are removed.
  private func choose(_ index: Int, _ share: Double, _ optimizer: AdamW) {
    let matrix = matrices[index]
    let parameter = matrix.parameter
    var values = parameter.values
    for (place, value) in zip(matrix.removed, matrix.values) where !matrix.scores.isEmpty {
      values[place] = value
    }
    let ranks = matrix.scores.isEmpty ? values.map(abs) : matrix.scores
    let kept = Int(((1 - share) * Double(parameter.count)).rounded(.up))
    let order = ranks.indices.sorted { (ranks[$1], $0) < (ranks[$0], $1) }
    let removed = order.dropFirst(kept).sorted()
    let changed = Set(removed).union(matrix.removed)
    var (first, second) = optimizer.moments.values(parameter.range)
    for place in changed { (first[place], second[place]) = (0, 0) }
    optimizer.moments.fill(parameter.range, first: first, second: second)
    model.parameters.values.fill(parameter.range, values)
    matrices[index].removed = removed
    matrices[index].values = matrix.scores.isEmpty ? [] : removed.map { values[$0] }
  }

  /// What is left, for people; only the matrices that are pruned count.
  package var summary: String {
    let all = matrices.reduce(0) { $0 + $1.parameter.count }
    let removed = matrices.reduce(0) { $0 + $1.removed.count }
    return "\(formatPercent(Double(removed) / Double(all))) of the \(formatCount(all)) weights of "
      + "\(matrices.count) matrices are removed; the model has "
      + "\(formatCount(model.parameters.count)) in all"
  }
}

// MARK: Files

extension GradualPruning {
  /// The model's weights as a file keeps them.
  func packed(_ weights: SafeTensors) throws -> SafeTensors {
    let masks = matrices.map { matrix -> (String, [Bool]) in
      var mask = [Bool](repeating: true, count: matrix.parameter.count)
      for place in matrix.removed { mask[place] = false }
      return (matrix.parameter.name, mask)
    }
    return try Bitmask.packed(weights, kept: Dictionary(uniqueKeysWithValues: masks))
  }

  /// What a checkpoint keeps beside the weights; nil where the masks are all there is.
  var state: SafeTensors? {
    guard settings.prune == .movement else { return nil }
    var file = SafeTensors()
    for matrix in matrices {
      let name = matrix.parameter.name
      file.add("scores.\(name)", shape: matrix.parameter.shape, matrix.scores)
      file.add("removed.\(name)", shape: [matrix.values.count], matrix.values)
    }
    return file
  }

  /// Goes on from a checkpoint.
  ///
  /// - Throws: `UserError(.badData)` that names the file that does not fit.
  func restore(weights path: String, state: String) throws {
    let masks = try Bitmask.masks(SafeTensors(contentsOf: path), path: path)
    // Weights that another command has put there: nothing is removed yet.
    if masks.isEmpty { return }
    let file = settings.prune == .movement ? try SafeTensors(contentsOf: state) : nil
    for index in matrices.indices {
      let parameter = matrices[index].parameter
      guard let mask = masks[parameter.name], mask.count == parameter.count else {
        throw Self.misfit(path, parameter.name)
      }
      matrices[index].removed = mask.indices.filter { !mask[$0] }
      guard let file else { continue }
      matrices[index].scores = try file.floats("scores.\(parameter.name)")
      matrices[index].values = try file.floats("removed.\(parameter.name)")
      guard matrices[index].scores.count == parameter.count,
        matrices[index].values.count == matrices[index].removed.count
      else { throw Self.misfit(state, parameter.name) }
    }
  }

  private static func misfit(_ path: String, _ name: String) -> UserError {
    UserError(
      .badData, "\(path): what is removed of \(name) is not that of this run",
      remedy: "restore the checkpoint from a copy")
  }
}

extension Classifier {
  /// The linear maps of the blocks: no norms, biases, embeddings, tables, convolutions, head, nor what
  /// makes a recurrence.
  fileprivate var prunable: [Parameter] {
    let maps: Set = [
      "query", "key", "value", "output", "inner", "outer", "gate", "reduce", "expand", "hidden",
    ]
    let recurrent =
      (try? VariantCatalog.named(configuration.name))?.about.parts.contains(.recurrence) == true
    return parameters.ofModel.filter { parameter in
      let parts = parameter.name.split(separator: ".").map(String.init)
      guard parts.first == "blocks", parts.last == "weight", parameter.shape.count == 2,
        parameter.decays, parts.count > 3
      else { return false }
      let own = parts[parts.count - 2]
      if recurrent && parts[2] == "mixer" { return parts.contains("gate") }
      return maps.contains(own)
    }
  }
}
