// Former names, until the last file that uses them has the new ones.

/// Now ``BranchInput``.
public typealias PreNorm = BranchInput
/// Now ``ForwardContext``.
public typealias Pass = ForwardContext
/// Now ``DropoutSeed``.
public typealias DropSeed = DropoutSeed
