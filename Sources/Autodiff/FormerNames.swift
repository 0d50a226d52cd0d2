// Former names, until the last file that uses them has the new ones.

/// Now ``PackedSequences``.
public typealias Segments = PackedSequences
/// Now ``HeadsView``.
public typealias Heads = HeadsView
/// Now ``Profiler``.
public typealias Meter = Profiler
