// SPDX-License-Identifier: Apache-2.0

/// The sizes of a transformer that is pretrained on masked tokens, and what follows from them.
package struct EncoderShape: Sendable, Equatable {
  /// E.
  package let width: Int
  /// F.
  package let feedForward: Int
  /// n, the blocks.
  package let layers: Int
  /// V.
  package let vocabulary: Int
  /// Rows of the table of positions.
  package let positions: Int
  /// Rows of the table of segments.
  package let segments: Int

  /// BERT-base.
  ///
  /// Source: Devlin et al. (2019), arXiv 1810.04805.
  package static let bertBase = EncoderShape(
    width: 768, feedForward: 3072, layers: 12, vocabulary: 30_522, positions: 512, segments: 2)

  /// Inputs and outputs of the linear maps of a block: query, key, value, output, both of the
  /// feed-forward network.
  package var maps: [(inputs: Int, outputs: Int)] {
    Array(repeating: (width, width), count: 4) + [(width, feedForward), (feedForward, width)]
  }

  /// Weights of the maps of a block, biases left out.
  package func mapValues(_ ranks: RankChoice) -> Int {
    maps.reduce(0) { $0 + ranks.values($1.inputs, $1.outputs) }
  }

  /// All weights: embeddings with their norm, blocks with biases and two norms, the pooler; the head of
  /// pretraining shares the table of tokens and is not counted.
  ///
  /// - Parameter narrowsPooler: whether the pooler's map has a rank too, as in the toolkit of Greenformers.
  package func parameters(_ ranks: RankChoice, narrowsPooler: Bool = false) -> Int {
    let embeddings = (vocabulary + positions + segments + 2) * width
    let biases = maps.reduce(0) { $0 + $1.outputs }
    let blocks = layers * (mapValues(ranks) + biases + 4 * width)
    let pooler = (narrowsPooler ? ranks : .dense).values(width, width) + width
    return embeddings + blocks + pooler
  }

  /// Operations of the forward pass a token in the linear maps of all blocks: 2·Σ values.
  package func mapFlops(_ ranks: RankChoice) -> Double {
    Double(2 * layers * mapValues(ranks))
  }

  /// Operations of the forward pass a token.
  ///
  ///     maps + n·4·L·E + (p/L)·2·(E² + E·V)
  ///
  /// - Parameters:
  ///   - length: L.
  ///   - predicted: p, the tokens of a sequence that are predicted; the head works for them alone.
  package func flopsPerToken(_ ranks: RankChoice, length: Int, predicted: Int) -> Double {
    let attention = Double(4 * layers * length * width)
    let head = Double(2 * (width * width + width * vocabulary))
    return mapFlops(ranks) + attention + Double(predicted) / Double(length) * head
  }
}
