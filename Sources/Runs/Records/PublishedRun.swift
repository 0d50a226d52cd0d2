// SPDX-License-Identifier: Apache-2.0

import Base
import Machine

/// A finished run without its weights, as a line of `runs.jsonl` has it.
package struct PublishedRun: Sendable, Codable {
  /// Values over the steps, a list for each.
  package struct Curve: Sendable, Codable, Equatable {
    /// Optimizer steps, counted from 1.
    package var step: [Int] = []
    /// Shares of right answers, in 0…1.
    package var accuracy: [Double] = []
    /// Mean cross-entropies, nats.
    package var loss: [Double] = []

    /// An empty curve.
    package init() {}
  }

  /// The name, which no other run of the file has.
  package var name: String
  /// What came out.
  package var result: RunResult
  /// Every setting, by section and name.
  package var config: [String: [String: Setting]]
  /// The machine and the command; nil where they are not known.
  package var env: RunEnvironment?
  /// The evaluations on the validation split.
  package var validation: Curve
  /// Loss and accuracy of training, some of the records.
  package var training: Curve

  /// A run from its parts.
  package init(
    name: String, result: RunResult, config: [String: [String: Setting]], env: RunEnvironment?,
    validation: Curve, training: Curve
  ) {
    self.name = name
    self.result = result
    self.config = config
    self.env = env
    self.validation = validation
    self.training = training
  }

  /// The line, without its end: the name first, by which people look for it.
  ///
  /// - Throws: `UserError(.failed)` for a number that JSON cannot hold.
  package func line() throws -> [UInt8] {
    var members = [
      try Self.member("name", name), try Self.member("result", result),
      try Self.member("config", config),
    ]
    if let env { members.append(try Self.member("env", env)) }
    members += [
      try Self.member("validation", validation), try Self.member("training", training),
    ]
    return Array("{".utf8) + members.joined(separator: [UInt8(ascii: ",")]) + Array("}".utf8)
  }

  private static func member(_ name: String, _ value: some Encodable) throws -> [UInt8] {
    try Array("\"\(name)\":".utf8) + SnakeCaseJSON.encoded(value, oneLine: true)
  }
}

extension PublishedRun: CheckedValue {
  /// Checks the parts and that curves have all values of each step.
  package func check() throws(FieldFault) {
    if name.isEmpty { throw FieldFault("name is empty") }
    try result.check(in: "result")
    try env?.check(in: "env")
    try validation.check(in: "validation")
    try training.check(in: "training")
  }
}

extension PublishedRun.Curve: CheckedValue {
  /// Checks that the lists are equally long and hold numbers of such curves.
  package func check() throws(FieldFault) {
    guard accuracy.count == step.count, loss.count == step.count else {
      throw FieldFault(
        "step, accuracy and loss have \(step.count), \(accuracy.count) and \(loss.count) values")
    }
    for (place, value) in step.enumerated() {
      try FieldRange.count.check(["step": value])
      try FieldRange.share.check(["accuracy": accuracy[place]])
      try FieldRange.number.check(["loss": loss[place]])
    }
  }
}
