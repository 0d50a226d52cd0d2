import Autodiff

// Former names, until the last file that uses them has the new ones.

/// Now ``BranchInput``.
public typealias PreNorm = BranchInput
/// Now ``ForwardContext``.
public typealias Pass = ForwardContext
/// Now ``DropoutSeed``.
public typealias DropSeed = DropoutSeed

extension Classifier {
  /// Now ``callAsFunction(_:_:)``.
  public func callAsFunction(_ input: PackedTokens, dropping: DropoutSeed?) -> Tensor {
    self(input, dropping.map { .training($0) } ?? .evaluation)
  }
}
