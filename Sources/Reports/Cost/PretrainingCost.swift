// SPDX-License-Identifier: Apache-2.0

import Base

/// What it would cost to pretrain a model with narrow maps, from the published cost of the dense one.
///
///     time ratio = (1 − a) + a·ρ/η
///
/// a is the share of operations in the linear maps of the blocks, ρ the narrow maps' operations relative to
/// those of the dense ones, η their relative speed. Hours, money, energy and CO2 go by the time ratio.
package struct PretrainingCost: Sendable {
  /// What the estimate rests on besides the model and its training.
  package struct Terms: Sendable {
    /// η.
    package var efficiency: NarrowEfficiency
    /// Energy of the building a unit of the machine's.
    package var pue: Uncertain
    /// kg of CO2 a kWh.
    package var grid: Uncertain
    /// $ an hour of a processor.
    package var price: Uncertain
    /// Operations a second that a processor sustains, for the second estimate.
    package var sustained: Double

    package init(
      efficiency: NarrowEfficiency, pue: Uncertain, grid: Uncertain, price: Uncertain,
      sustained: Double
    ) {
      (self.efficiency, self.pue, self.grid) = (efficiency, pue, grid)
      (self.price, self.sustained) = (price, sustained)
    }
  }

  /// Hours, and what they amount to.
  package struct Amounts: Sendable, Encodable {
    /// Hours of one processor.
    package let processorHours: Double
    /// $.
    package let dollars: Uncertain
    /// kWh, with the building's.
    package let kilowattHours: Uncertain
    /// kg of CO2 equivalents.
    package let kilograms: Uncertain
  }

  /// One choice of ranks.
  package struct Row: Sendable, Encodable {
    /// `dense`, `128`, `share 0.4 (153 / 245)`.
    package let name: String
    /// Weights.
    package let parameters: Int
    /// Relative to the dense model.
    package let parameterRatio: Double
    /// Operations of a forward pass a token, in each phase.
    package let flopsPerToken: [Double]
    /// Operations of the whole training.
    package let flops: Double
    /// Relative to the dense model.
    package let flopRatio: Double
    /// η; nil of the dense model.
    package let efficiency: Double?
    /// Time relative to the dense model.
    package let timeRatio: Double
    /// From the published hours.
    package let published: Amounts
    /// From the operations.
    package let fromFlops: Amounts
  }

  /// The model.
  package let shape: EncoderShape
  /// Its training.
  package let plan: PretrainingPlan
  /// What the dense model's took.
  package let base: PublishedTraining
  /// What else the estimate rests on.
  package let terms: Terms

  /// BERT-base.
  package static func bert(_ terms: Terms) -> Self {
    Self(shape: .bertBase, plan: .bert, base: .bertBase, terms: terms)
  }

  /// The estimate for a choice of ranks.
  package func row(_ ranks: RankChoice) -> Row {
    let flops = plan.flops(shape, ranks)
    let dense = plan.flops(shape, .dense)
    let parameters = shape.parameters(ranks)
    let ratio = timeRatio(ranks)
    return Row(
      name: name(ranks), parameters: parameters,
      parameterRatio: Double(parameters) / Double(shape.parameters(.dense)),
      flopsPerToken: plan.phases.map {
        shape.flopsPerToken(ranks, length: $0.length, predicted: $0.predicted)
      }, flops: flops, flopRatio: flops / dense, efficiency: efficiency(ranks), timeRatio: ratio,
      published: amounts(hours: base.processorHours * ratio),
      fromFlops: amounts(hours: dense / terms.sustained / 3600 * ratio))
  }

  /// Time relative to the dense model.
  package func timeRatio(_ ranks: RankChoice) -> Double {
    guard let efficiency = efficiency(ranks) else { return 1 }
    let share = plan.mapShare(shape)
    let narrow = Double(shape.mapValues(ranks)) / Double(shape.mapValues(.dense))
    return (1 - share) + share * narrow / efficiency
  }

  /// The greatest rank at which the time is at most a share of the dense model's; nil where none is.
  package func greatestRank(timeRatio limit: Double) -> Int? {
    (1..<rankLimit).last { timeRatio(.rank($0)) <= limit }
  }

  /// The least rank at which no map is narrow.
  package var rankLimit: Int {
    shape.maps.map { Int(RankChoice.limit($0.inputs, $0.outputs)) }.max() ?? 0
  }

  /// η of the square maps' rank, or of what map is narrow; nil where none is.
  private func efficiency(_ ranks: RankChoice) -> Double? {
    shape.maps.compactMap { ranks.rank($0.inputs, $0.outputs) }.first.map { terms.efficiency($0) }
  }

  private func amounts(hours: Double) -> Amounts {
    let energy = terms.pue * (base.processorWatts * hours / 1000)
    return Amounts(
      processorHours: hours, dollars: terms.price * hours, kilowattHours: energy,
      kilograms: energy * terms.grid)
  }

  private func name(_ ranks: RankChoice) -> String {
    switch ranks {
    case .dense: return "dense"
    case .rank(let rank): return "\(rank)"
    case .share(let share):
      let each = [(shape.width, shape.width), (shape.width, shape.feedForward)].map {
        ranks.rank($0.0, $0.1).map(String.init) ?? "dense"
      }
      return "share \(share) (\(each.joined(separator: " / ")))"
    }
  }
}
