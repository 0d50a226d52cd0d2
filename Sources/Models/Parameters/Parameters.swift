// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base

/// All weights of a model in one flat arena, with their gradients in a second.
///
/// The only way to make a weight, so that a weight that exists has a name, a seed, a place in
/// checkpoints and a gradient. Every weight draws its values from a stream of its own, named after
/// it, so that adding one changes no other.
package final class Parameters {
  /// The weights in the order in which the model made them.
  package private(set) var all: [Parameter] = []
  /// The linear maps of the blocks, in the same order.
  package private(set) var maps: [MapShape] = []
  /// Those that are saved with the model.
  package var ofModel: [Parameter] { all.filter { !$0.isCompanion } }
  /// The seed of the first values.
  package let seed: UInt64
  /// Whether operations on the weights are recorded.
  package var tracksGradients = true
  /// The weights that are rounded to bytes whenever an operation takes them; their values stay as they are.
  var roundedToBytes: Set<String> = []
  private let ranks: [String: Int]
  private var byName: [String: Parameter] = [:]
  private var size = 0
  private lazy var arena = makeArena()

  /// An empty set of weights.
  ///
  /// - Parameter ranks: of the linear maps that are products of narrow ones, by their paths.
  package init(seed: UInt64, ranks: [String: Int] = [:]) {
    self.seed = seed
    self.ranks = ranks
  }

  /// The number of trained values in all weights of the model.
  package var count: Int { ofModel.reduce(0) { $0 + ($1.group == .buffer ? 0 : $1.count) } }
  /// The values of all weights, buffers included, and what lies between them.
  var room: Int { size }
  /// The values and gradients of all weights, for the optimizer and for checkpoints.
  package var values: ParameterArena { arena }

  /// The weight with this name.
  package subscript(name: String) -> Parameter? { byName[name] }

  /// Where weights of the whole model are made.
  package var root: ParameterScope {
    ParameterScope(arena: self, ranks: MapRanks { [ranks] in ranks[$0] })
  }

  /// Takes note of a linear map, once where several blocks use it.
  func note(_ map: MapShape) {
    if !maps.contains(where: { $0.path == map.path }) { maps.append(map) }
  }

  /// Where what a model is trained towards makes weights of its own, such as a map to another width:
  /// they are trained, and kept in checkpoints beside the model's.
  package var companions: ParameterScope {
    ParameterScope(companionsIn: self, path: "objective")
  }

  /// The weight `name`, made now unless an earlier layer made it.
  ///
  /// - Precondition: nobody has used a weight yet; a weight made twice has the same shape.
  func weight(
    _ name: String, _ shape: [Int], _ initializer: Initializer, _ group: ParameterGroup,
    shared: Bool, isCompanion: Bool = false
  ) -> Parameter {
    if let existing = byName[name] {
      precondition(
        shared && existing.shape == shape, "parameters: \(name) is made twice, \(shape)")
      return existing
    }
    let parameter = Parameter(
      name, shape, initializer, group, isCompanion: isCompanion, offset: size, arena: self)
    // No machine holds 2⁶⁰ weights; more are not counted, so that the sum cannot overflow.
    size = min(size, 1 << 60) + min((parameter.count + 15) & ~15, 1 << 60)
    all.append(parameter)
    byName[name] = parameter
    return parameter
  }

  func tensor(of parameter: Parameter) -> Tensor {
    let tensor = arena.tensor(
      parameter.range, parameter.shape,
      tracked: tracksGradients && parameter.group != .buffer)
    return roundedToBytes.contains(parameter.name) ? byteRounded(tensor) : tensor
  }

  private func makeArena() -> ParameterArena {
    let arena = ParameterArena(count: size)
    for parameter in all {
      arena.fill(parameter.range, draw(parameter))
    }
    return arena
  }

  /// The random numbers of a draw of the weight `name`, the first one numbered 0.
  func stream(_ name: String, draw number: Int = 0) -> RandomStream {
    RandomStream(seed: seed, stream: fnv1a(name) &+ UInt64(number))
  }

  func draw(_ parameter: Parameter, number: Int = 0) -> [Float] {
    var random = stream(parameter.name, draw: number)
    if case .drawn(let draw) = parameter.initializer { return draw(&random, parameter.count) }
    let fanIn = Double(parameter.shape.last ?? 1)
    let fanOut = Double(parameter.shape.first ?? 1)
    return (0..<parameter.count).map { _ in
      switch parameter.initializer {
      case .zeros: return 0
      case .ones: return 1
      case .normal(let deviation): return Float(random.normal() * deviation)
      case .xavierUniform:
        return Float((2 * random.uniform() - 1) * (6 / (fanIn + fanOut)).squareRoot())
      case .lecunNormal: return Float(random.normal() / fanIn.squareRoot())
      case .drawn: preconditionFailure("parameters: drawn all at once")
      }
    }
  }
}
