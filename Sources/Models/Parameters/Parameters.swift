import Autodiff
import Base

/// How a weight's first values are drawn.
public enum Initializer: Sendable {
  case zeros
  case ones
  /// Normal with mean 0 and the given standard deviation.
  case normal(Double)
  /// Uniform in ±√(6 / (fan in + fan out)); Glorot and Bengio (2010).
  case xavierUniform
  /// Normal with deviation 1/√(fan in); LeCun et al. (1998).
  case lecunNormal
  /// All values from the weight's own random stream; the number of values is the second argument.
  case drawn(@Sendable (inout RandomStream, Int) -> [Float])
}

/// How the optimizer treats a weight.
public enum ParameterGroup: Sendable {
  /// At the learning rate; matrices decay, vectors do not.
  case ordinary
  /// At the learning rate times `train.recurrence-rate`, and never decaying: what sets the poles
  /// and time steps of a recurrence.
  case recurrence
  /// Not trained: saved with the weights, and only the model itself may change it.
  case buffer
}

/// One weight of a model: a named place in the arena.
public final class Parameter {
  /// The path of the weight, as checkpoints name it.
  public let name: String
  /// Row-major; linear maps are [outputs, inputs].
  public let shape: [Int]
  /// How the optimizer treats it.
  public let group: ParameterGroup
  /// Whether weight decay applies: to matrices, not to vectors.
  public var decays: Bool { group == .ordinary && shape.count > 1 }
  let initializer: Initializer
  fileprivate let offset: Int
  private unowned let arena: Parameters

  fileprivate init(
    _ name: String, _ shape: [Int], _ initializer: Initializer, _ group: ParameterGroup,
    offset: Int, arena: Parameters
  ) {
    self.name = name
    self.shape = shape
    self.initializer = initializer
    self.offset = offset
    self.arena = arena
    self.group = group
  }

  /// The number of values.
  public var count: Int { shape.reduce(1, *) }
  /// The places of its values in the arena.
  public var range: Range<Int> { offset..<offset + count }
  /// The values, as operations take them.
  public var tensor: Tensor { arena.tensor(of: self) }
  /// Changes the values of a buffer.
  ///
  /// - Precondition: it is a buffer, and there are ``count`` values.
  func replace(with values: [Float]) {
    precondition(
      group == .buffer && values.count == count,
      "\(name): \(values.count) values for a \(group) weight of \(count)")
    arena.values.fill(range, values)
  }

  /// Draws a buffer again: for 0 the values that it began with, for every other number values of its
  /// own, which depend on the model's seed and the number alone.
  func redraw(_ number: Int) { replace(with: arena.draw(self, number: number)) }
}

/// All weights of a model in one flat arena, with their gradients in a second.
///
/// The only way to make a weight, so that a weight that exists has a name, a seed, a place in
/// checkpoints and a gradient. Every weight draws its values from a stream of its own, named after
/// it, so that adding one changes no other.
public final class Parameters {
  /// The weights in the order in which the model made them.
  public private(set) var all: [Parameter] = []
  /// The seed of the first values.
  public let seed: UInt64
  /// Whether operations on the weights are recorded.
  public var tracksGradients = true
  private var byName: [String: Parameter] = [:]
  private var size = 0
  private lazy var arena = makeArena()

  /// An empty set of weights.
  public init(seed: UInt64) { self.seed = seed }

  /// The number of trained values in all weights.
  public var count: Int { all.reduce(0) { $0 + ($1.group == .buffer ? 0 : $1.count) } }
  /// The values and gradients of all weights, for the optimizer and for checkpoints.
  public var values: ParameterArena { arena }

  /// The weight with this name.
  public subscript(name: String) -> Parameter? { byName[name] }

  /// Where weights of the whole model are made.
  public var root: ParameterScope { ParameterScope(arena: self, path: "") }

  /// The weight `name`, made now unless an earlier layer made it.
  ///
  /// - Precondition: nobody has used a weight yet; a weight made twice has the same shape.
  fileprivate func weight(
    _ name: String, _ shape: [Int], _ initializer: Initializer, _ group: ParameterGroup,
    shared: Bool
  ) -> Parameter {
    if let existing = byName[name] {
      precondition(
        shared && existing.shape == shape, "parameters: \(name) is made twice, \(shape)")
      return existing
    }
    let parameter = Parameter(name, shape, initializer, group, offset: size, arena: self)
    size += (parameter.count + 15) & ~15
    all.append(parameter)
    byName[name] = parameter
    return parameter
  }

  fileprivate func tensor(of parameter: Parameter) -> Tensor {
    arena.tensor(
      parameter.range, parameter.shape,
      tracked: tracksGradients && parameter.group != .buffer)
  }

  private func makeArena() -> ParameterArena {
    let arena = ParameterArena(count: size)
    for parameter in all {
      arena.fill(parameter.range, draw(parameter))
    }
    return arena
  }

  /// The random numbers of a draw of the weight `name`, the first one numbered 0.
  fileprivate func stream(_ name: String, draw number: Int = 0) -> RandomStream {
    RandomStream(seed: seed, stream: fnv1a(name) &+ UInt64(number))
  }

  fileprivate func draw(_ parameter: Parameter, number: Int = 0) -> [Float] {
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

/// A place in the naming tree under which a layer makes its weights.
public struct ParameterScope {
  fileprivate let arena: Parameters
  /// The names of the layers above, joined by dots.
  public let path: String

  /// The scope of a part of this layer.
  public func scope(_ name: String) -> ParameterScope {
    ParameterScope(arena: arena, path: joined(name))
  }

  /// Makes a weight of this layer.
  public func weight(
    _ name: String, _ shape: [Int], _ initializer: Initializer,
    group: ParameterGroup = .ordinary
  ) -> Parameter {
    arena.weight(joined(name), shape, initializer, group, shared: false)
  }

  /// The random numbers that a weight of this layer draws its first values from, for another weight
  /// whose first values follow from them.
  public func stream(_ name: String) -> RandomStream { arena.stream(joined(name)) }

  /// A weight of the whole model, which every layer that asks for it uses.
  public func shared(_ name: String, _ shape: [Int], _ initializer: Initializer) -> Parameter {
    arena.weight(name, shape, initializer, .ordinary, shared: true)
  }

  private func joined(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
}
