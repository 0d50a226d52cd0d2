// SPDX-License-Identifier: Apache-2.0

import Base

/// The hyper-parameters that every model has, section `model` of a configuration.
package struct ModelSettings: SettingSection, Equatable {
  /// `model`.
  package static let section = "model"

  /// The variant, as the catalog names it.
  @Knob("the model; --model chooses it") package var name = ""
  /// Blocks.
  @Knob("blocks", 1...1 << 10) package var layers = 2
  /// E.
  @Knob("E, the width of the rows", 1...1 << 16) package var width = 64
  /// H.
  @Knob("H, heads of a block", 1...1 << 12) package var heads = 2
  /// D; 0 means E / H.
  @Knob("D, the width of a head; 0 means E/H", 0...1 << 16) package var headWidth = 0
  /// F; 0 leaves the feed-forward networks out, and with them the hidden layer of the classifier.
  @Knob("F, the inner width of the feed-forward networks; 0 leaves them out", 0...1 << 20)
  package var feedForward = 128
  /// What a token number becomes.
  @Knob("what a token becomes: a trained row, or a linear map of its number")
  package var input = TokenInput.tokens
  /// How the rows of a block are normalised.
  @Knob("how rows are normalised: each by itself, or columns over the batch", key: "norm")
  package var normalization = Normalization.layer
  /// How positions are told.
  @Knob("how positions are told: trained rows, sines and cosines, or not at all")
  package var positions = PositionalEncoding.learned
  /// How rows become one.
  @Knob("how rows become one: their mean, or the row of a class token")
  package var pooling = Pooling.mean
  /// The probability of dropping an activation, in training.
  @Knob("the probability of dropping an activation in training", 0..<1) package var dropout = 0.1
  /// The probability of dropping an attention weight, in training.
  @Knob("the probability of dropping an attention weight in training", 0..<1)
  package var attentionDropout = 0.1
  /// The width between the two linear maps of the classifier; 0 means F.
  ///
  /// Where F is 0 too, the classifier is a single linear map.
  @Knob("the width between the two maps of the classifier; 0 means F", 0...1 << 20)
  package var headHidden = 0
  /// The standard deviation of the first token embeddings.
  @Knob("the standard deviation of the first rows of tokens") package var embeddingDeviation = 1.0

  /// Which parts of blocks share their weights.
  @Knob("which parts of blocks share weights: none, all, attention or feed-forward")
  package var tieLayers = TiedParts.none
  /// Neighbouring blocks that share; 0 for all.
  @Knob("how many neighbouring blocks share weights; 0 for all", 0...1 << 10)
  package var tieGroup = 0
  /// Whether they share the norms before them too.
  @Knob("whether blocks that share weights share their norms too") package var tieNorms = false
  /// The rank of a table of learned positions; 0 for a whole one.
  @Knob("r of learned positions as a product of [L, r] and [r, E]; 0 for a table", 0...1 << 16)
  package var positionRank = 0
  /// Whether queries and keys are the same projection.
  @Knob("whether queries and keys are the same projection", key: "tie-qk")
  package var tieQueryKey = false
  /// Whether keys and values are the same projection.
  @Knob("whether keys and values are the same projection", key: "tie-kv")
  package var tieKeyValue = false
  /// The blocks that pruning has left, as ``BlockShapes`` reads them.
  @Knob("the blocks that are left of all, as 0,2; empty for all") package var keptLayers = ""
  /// The heads that pruning has left of each block.
  @Knob("the heads that are left of each block, as 0,1/1; empty for all") package var keptHeads = ""
  /// The inner widths of the feed-forward networks where they differ.
  @Knob("F of each block, as 96,64; empty for model.feed-forward everywhere")
  package var innerWidths = ""
  /// The ranks of linear maps that are products of narrow ones.
  @Knob(
    "r of linear maps that are products of two narrow ones, as blocks.0.mixer.query=8, with spaces between"
  )
  package var ranks = ""

  /// What of it is signed bytes; a model that has such weights is not trained.
  @Knob("what is signed bytes: none, the weights in the file, or int8 for the maps' products too")
  package var quantised = Quantisation.none

  /// All at their defaults.
  package init() {}
}
