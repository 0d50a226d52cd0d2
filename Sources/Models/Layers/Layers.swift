import Autodiff

/// The scale and shift of a layer normalisation, ε = 1e-6 as in the LRA code (PyTorch's is 1e-5).
struct LayerNorm {
  private let scale: Parameter
  private let shift: Parameter

  init(_ width: Int, _ scope: ParameterScope) {
    scale = scope.weight("scale", [width], .ones)
    shift = scope.weight("shift", [width], .zeros)
  }

  var norm: Norm { Norm(scale: scale.tensor, shift: shift.tensor, epsilon: 1e-6) }
}

/// A linear map with a bias.
struct Linear {
  private let weight: Parameter
  private let bias: Parameter

  init(_ inputs: Int, _ outputs: Int, _ scope: ParameterScope, _ initializer: Initializer) {
    weight = scope.weight("weight", [outputs, inputs], initializer)
    bias = scope.weight("bias", [outputs], .zeros)
  }

  var tensors: (weight: Tensor, bias: Tensor) { (weight.tensor, bias.tensor) }

  func callAsFunction(_ x: Tensor, activation: Activation = .identity) -> Tensor {
    linear(x, weight: weight.tensor, bias: bias.tensor, activation: activation)
  }
}

/// The input of a residual branch: rows that are still to be normalised.
///
/// A mixer either normalises and projects in one pass (``project(_:)``) or asks for the normalised
/// rows themselves; it returns the residual plus its branch.
public struct PreNorm {
  /// How the normalised rows are made.
  package enum Source {
    /// Each row by itself, whenever it is read.
    case byRow(Norm)
    /// All together, already done.
    case done(Tensor)
  }

  /// x, [N, E], before the normalisation.
  public let residual: Tensor
  let source: Source

  package init(residual: Tensor, _ source: Source) {
    self.residual = residual
    self.source = source
  }

  /// LayerNorm(x)·Wᵀ + b, [N, O], without storing LayerNorm(x).
  public func project(_ weight: Tensor, bias: Tensor? = nil) -> Tensor {
    switch source {
    case .byRow(let norm): normalizedLinear(residual, norm: norm, weight: weight, bias: bias)
    case .done(let rows): linear(rows, weight: weight, bias: bias)
    }
  }

  /// The same, and the sums of the rows of LayerNorm(x) in each piece, [number of pieces, E].
  func project(_ weight: Tensor, sumsOf pieces: SequencePieces) -> (rows: Tensor, sums: Tensor) {
    switch source {
    case .byRow(let norm):
      normalizedLinear(residual, norm: norm, weight: weight, sumsOf: pieces)
    case .done(let rows):
      (
        linear(rows, weight: weight),
        segmentSum(Heads(rows, count: 1, width: rows.columns), pieces: pieces)
      )
    }
  }

  /// LayerNorm(x), [N, E].
  public var normalized: Tensor {
    switch source {
    case .byRow(let norm): layerNorm(residual, norm: norm)
    case .done(let rows): rows
    }
  }

  /// The same normalisation of other rows.
  ///
  /// - Parameter rows: applied to residual and, where they are there already, normalised rows.
  func map(_ rows: (Tensor) -> Tensor) -> PreNorm {
    switch source {
    case .byRow: PreNorm(residual: rows(residual), source)
    case .done(let normalized): PreNorm(residual: rows(residual), .done(rows(normalized)))
    }
  }
}

/// h + drop(W₂·drop(gelu(W₁·LayerNorm(h) + b₁)) + b₂).
struct FeedForward: RowLayer {
  private let norm: LayerNorm
  private let inner: Linear
  private let outer: Linear
  private let rate: Double
  private let innerSite: UInt64
  private let outerSite: UInt64

  init(_ size: MixerSize, _ scope: ParameterScope) {
    let (width, hidden) = (size.width, size.feedForward)
    norm = LayerNorm(width, scope.scope("norm"))
    inner = Linear(width, hidden, scope.scope("inner"), .xavierUniform)
    outer = Linear(hidden, width, scope.scope("outer"), .xavierUniform)
    rate = size.dropout
    innerSite = dropoutSite(scope.path + ".inner")
    outerSite = dropoutSite(scope.path + ".outer")
  }

  func callAsFunction(_ x: Tensor, _ pass: Pass) -> Tensor {
    feedForward(
      x, norm: norm.norm, inner: inner.tensors, outer: outer.tensors,
      dropout: (pass.dropout(rate, site: innerSite), pass.dropout(rate, site: outerSite)))
  }
}
