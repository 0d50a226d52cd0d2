// SPDX-License-Identifier: Apache-2.0

/// How a model runs over a batch.
package enum ForwardMode {
  /// Nothing is dropped, and buffers are used as they are.
  case evaluation
  /// As in evaluation; what the layers mix is compared with exact attention.
  case probing(AttentionProbe)
  /// As in evaluation; somebody sees what passes through the branches, and may change it.
  case observing(any BranchObserver)
  /// Activations are dropped as the seed says; changes of buffers are collected.
  case training(DropoutSeed, updates: BufferUpdates = BufferUpdates())
}
