import Base
import Foundation
import Models

/// What a run knows beside weights and moments; with them, all it needs to go on exactly.
///
/// There is no random state: data order, weights and dropout are functions of (seed, step).
public struct TrainingState: Codable, Sendable, Equatable {
  /// Optimizer steps done.
  public var step = 0
  /// The product of Adam's β₁ so far.
  public var beta1Product = 1.0
  /// The best validation accuracy so far.
  public var bestAccuracy: Double?
  /// The step with the best validation accuracy.
  public var bestStep: Int?
  /// The validation result of that step.
  public var bestValidation: Evaluation?
  /// The first step among whose evaluations the best is chosen, where an earlier best was lost.
  public var bestFrom: Int?
  /// The latest validation result.
  public var validation: Evaluation?
  /// The step of `validation`.
  public var evaluatedStep: Int?
  /// Seconds spent in steps, over all sittings.
  public var trainingSeconds = 0.0
  /// Real tokens trained on.
  public var tokens = 0
  /// The content hash of the data of the last step; nil in runs from before it was kept.
  public var dataHash: String?
  /// Sums over the steps since the last record in the log.
  var window: ProgressWindow.Sums?
  /// Bytes of `metrics.jsonl` at this step.
  var logBytes: Int?

  /// The state before the first step.
  public init() {}

  /// The file of a checkpoint that holds it.
  static let fileName = "trainer_state.json"

  /// Takes in a validation result of the present step.
  ///
  /// - Returns: whether it is the best so far.
  mutating func evaluated(_ result: Evaluation) -> Bool {
    validation = result
    evaluatedStep = step
    guard result.accuracy > bestAccuracy ?? -1 else { return false }
    bestAccuracy = result.accuracy
    bestStep = step
    bestValidation = result
    return true
  }

  /// Chooses the best among the evaluations from this step on, as if there had been none before.
  mutating func forgetBest() {
    (bestAccuracy, bestStep, bestValidation) = (nil, nil, nil)
    bestFrom = step
    if evaluatedStep == step, let validation { _ = evaluated(validation) }
  }
}

extension TrainingState: CheckedValue {
  /// Checks that a run can go on from here.
  public func check() throws(FieldFault) {
    try FieldRange.count.check([
      "step": step, "bestStep": bestStep, "evaluatedStep": evaluatedStep, "tokens": tokens,
    ])
    try FieldRange.share.check(["beta1Product": beta1Product, "bestAccuracy": bestAccuracy])
    try FieldRange.amount.check(["trainingSeconds": trainingSeconds])
    try validation?.check(in: "validation")
  }
}

extension Trainer {
  /// The files of a checkpoint.
  func checkpoint(_ state: TrainingState) throws -> [String: Checkpoint.Content] {
    var state = state
    state.beta1Product = optimizer.beta1Product
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    hasCheckpoint = true
    return [
      "model.safetensors": .bytes(model.weights().serialized()),
      "optimizer.safetensors": .bytes(moments().serialized()),
      TrainingState.fileName: .bytes(Array(try encoder.encode(state))),
    ]
  }

  /// Continues from a checkpoint.
  ///
  /// - Throws: `UserError(.badData)` naming the file that does not fit this model.
  func restore(_ checkpoint: Checkpoint) throws -> TrainingState {
    try model.load(checkpoint.file("model.safetensors"))
    let file = checkpoint.file("optimizer.safetensors")
    let tensors = try SafeTensors(contentsOf: file)
    for parameter in model.parameters.all {
      let moments = try ["adam.m", "adam.v"].map { moment in
        let name = "\(moment).\(parameter.name)"
        let values = try tensors.floats(name)
        guard values.count == parameter.range.count else {
          throw UserError(
            .badData, "\(file): \(name) has \(values.count) numbers, not \(parameter.range.count)",
            remedy: "the file belongs to another model; restore the checkpoint from a copy")
        }
        return values
      }
      optimizer.moments.fill(parameter.range, first: moments[0], second: moments[1])
    }
    let state = try Self.state(checkpoint.file(TrainingState.fileName))
    hasCheckpoint = true
    optimizer.restore(step: state.step, beta1Product: state.beta1Product)
    return state
  }

  private static func state(_ file: String) throws -> TrainingState {
    let bytes = try readFile(file)
    do throws(FieldFault) {
      return try SnakeCaseJSON.checked(TrainingState.self, from: bytes)
    } catch {
      throw UserError(
        .badData, "\(file): \(error.text)",
        remedy: "restore the checkpoint from a copy, or start the run anew in another folder")
    }
  }

  private func moments() -> SafeTensors {
    var file = SafeTensors()
    file.metadata = ["format": "pt"]
    for parameter in model.parameters.all {
      let values = optimizer.moments.values(parameter.range)
      file.add("adam.m.\(parameter.name)", shape: parameter.shape, values.first)
      file.add("adam.v.\(parameter.name)", shape: parameter.shape, values.second)
    }
    return file
  }
}

extension Classifier {
  /// The weights under their documented names, linear maps as [outputs, inputs].
  public func weights() -> SafeTensors {
    var file = SafeTensors()
    file.metadata = ["format": "pt"]
    for parameter in parameters.all {
      file.add(parameter.name, shape: parameter.shape, parameters.values.values(parameter.range))
    }
    return file
  }

  /// Replaces the weights by those of a file.
  ///
  /// - Throws: `UserError(.badData)` that names the first weight which is missing, unknown or of
  ///   another shape; nothing is changed then.
  public func load(_ path: String) throws {
    let file = try SafeTensors(contentsOf: path)
    let known = Set(parameters.all.map(\.name))
    if let foreign = file.entries.first(where: { !known.contains($0.name) }) {
      throw mismatch(path, "holds \(foreign.name), which a \(configuration.name) has not")
    }
    for parameter in parameters.all {
      guard let entry = file[parameter.name] else {
        throw mismatch(path, "lacks \(parameter.name)")
      }
      if entry.shape != parameter.shape {
        throw mismatch(
          path, "\(parameter.name) is \(entry.shape), but this model needs \(parameter.shape)")
      }
    }
    for parameter in parameters.all {
      parameters.values.fill(parameter.range, try file.floats(parameter.name))
    }
  }

  private func mismatch(_ path: String, _ problem: String) -> UserError {
    UserError(
      .badData, "\(path): \(problem)",
      remedy: "use the folder of a run of model \(configuration.name) with the same settings")
  }
}
