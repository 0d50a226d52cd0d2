// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Base
import Models

/// How far what a student's mixers add to the residual stream is from what the teacher's add.
///
/// ```
/// loss = mean over examples, rows, columns and layers i of (LN(a_i·W_iᵀ) - LN(b_g(i)))²
/// g(i) = (i + 1)·n_T/n_S - 1
/// ```
/// a is the student's, b the teacher's; LN has neither scale nor shift. W is trained, and no part of the
/// student; it is left out where both have the same width. Every example counts alike, so that the parts
/// of a batch add up. Where only one of the two has a class token, its row is left out.
struct OutputMatching {
  private let maps: [Parameter?]
  private let studentNorm: Norm
  private let teacher: Classifier

  /// - Parameter feeding: whether layers of the student are to be fed with the teacher's rows.
  /// - Throws: `UserError(.configuration)` where the layers of the two do not correspond, or their
  ///   mixers' outputs are not kept.
  init(_ student: Classifier, _ teacher: Teacher, feeding: Bool = false) throws {
    self.teacher = teacher.model
    let (own, other) = (student.configuration, teacher.model.configuration)
    let (blocks, others) = (student.blockCount, teacher.model.blockCount)
    guard others.isMultiple(of: blocks) else {
      throw Self.refusal(
        "the teacher's \(counted(others, "layer")) are no multiple of the student's "
          + "\(blocks)")
    }
    for (who, model) in [("student", own), ("teacher", other)]
    where model.options["reversible"] == .boolean(true) {
      throw Self.refusal("the \(who)'s reversible blocks keep no outputs of mixers")
    }
    if feeding, own.width != other.width || own.pooling != other.pooling {
      throw UserError(
        .configuration,
        "train.distill-stage-steps feeds layers with the teacher's rows, but model.width and model.pooling are "
          + "\(own.width) and \(own.pooling.rawValue), the teacher's \(other.width) and "
          + "\(other.pooling.rawValue)",
        remedy: "leave it out, or use models of the same width and pooling")
    }
    let scope = student.parameters.companions
    maps = (0..<blocks).map { layer in
      own.width == other.width
        ? nil
        : scope.weight("match.\(layer).weight", [other.width, own.width], .lecunNormal)
    }
    studentNorm = .unit(other.width)
  }

  /// The distance where each layer of the student takes the rows of the teacher's; a mean, as that of
  /// ``callAsFunction(_:_:towers:count:)``.
  func ofLayers(
    _ student: Classifier, _ input: PackedTokens, _ mode: ForwardMode, count: Int
  ) -> Tensor? {
    let target = teacher.encode(input, .evaluation, observing: true)
    let every = teacher.blockCount / student.blockCount
    let rows = (0..<student.blockCount).map { target.blockInputs[($0 + 1) * every - 1] }
    return distance(
      student.mixerOutputs(input, mode, blockInputs: rows), target.sequences, target,
      towers: student.configuration.towers, count: count)
  }

  private static func refusal(_ reason: String) -> UserError {
    UserError(
      .configuration, "train.distill-match is outputs, but \(reason)",
      remedy: "use --set train.distill-match=logits, or other models")
  }

  /// The distance, divided by `count` examples; nil where all blocks are left out.
  ///
  /// - Parameter input: the tokens of the examples.
  func callAsFunction(
    _ student: EncodedSequences, _ input: PackedTokens, towers: Int, count: Int
  ) -> Tensor? {
    distance(
      student.mixerOutputs, student.sequences, teacher.encode(input, .evaluation, observing: true),
      towers: towers, count: count)
  }

  private func distance(
    _ outputs: [Tensor?], _ sequences: PackedSequences, _ target: EncodedSequences, towers: Int,
    count: Int
  ) -> Tensor? {
    let every = target.mixerOutputs.count / outputs.count
    let layers = outputs.indices.compactMap { layer -> Tensor? in
      guard let own = outputs[layer], let other = target.mixerOutputs[(layer + 1) * every - 1]
      else { return nil }
      return distance(own, sequences, other, target.sequences, maps[layer])
    }
    guard let first = layers.first else { return nil }
    return scaled(
      layers.dropFirst().reduce(first) { elementwise(.sum, $0, $1) },
      by: Float(sequences.count) / Float(towers * count * layers.count))
  }

  /// The mean over the sequences, a scalar.
  private func distance(
    _ a: Tensor, _ own: PackedSequences, _ b: Tensor, _ other: PackedSequences, _ map: Parameter?
  ) -> Tensor {
    let (a, sequences) = withoutClassTokens(a, own, beside: other)
    let (b, _) = withoutClassTokens(b, other, beside: own)
    let mapped = map.map { linear(a, weight: $0.tensor) } ?? a
    let difference = elementwise(
      .difference, layerNorm(mapped, norm: studentNorm), layerNorm(b, norm: studentNorm))
    let rows = rowMeans(elementwise(.square, difference))
    return meanPool(
      meanPool(rows, sequences: sequences),
      sequences: PackedSequences(count: 1, length: sequences.count)
    ).reshaped([1])
  }

  /// The last rows of each sequence, as many as the other side has.
  private func withoutClassTokens(
    _ x: Tensor, _ own: PackedSequences, beside other: PackedSequences
  ) -> (Tensor, PackedSequences) {
    guard own.rows > other.rows else { return (x, own) }
    let rows = (0..<own.count).flatMap { own.range($0).suffix(other.length($0)) }
    return (selectedRows(x, rows), other)
  }
}

extension Norm {
  /// One that only makes mean 0 and variance 1.
  static func unit(_ width: Int) -> Norm {
    Norm(
      scale: Tensor(shape: [width], [Float](repeating: 1, count: width)),
      shift: Tensor(shape: [width], [Float](repeating: 0, count: width)))
  }
}
