// SPDX-License-Identifier: Apache-2.0

import Tasks

/// What the leader of a group tells the others to do next; raw values follow where it says so.
enum GroupCommand: Codable, Equatable {
  /// Prepare to train with these settings, JSON, and say who you are: ``RankIdentity``.
  case begin(settings: String, dataFolder: String)
  /// Go on with settings whose schedule was fitted.
  case follow(settings: String)
  /// Take over weights and moments, which follow, after so many steps.
  case restore(step: Int, beta1Product: Double)
  /// Take a step.
  case step(Int)
  /// Work through passes of a step that are timed, and forget them.
  case time
  /// Evaluate a split from an example on, with the weights in training, or with others that follow.
  case evaluate(Split, from: Int, withOthers: Bool)
  /// Send a hash of each weight.
  case hash
  /// There is nothing more to do.
  case end
}
