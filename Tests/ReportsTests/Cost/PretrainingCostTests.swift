// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Reports
import Testing

/// The published and the recomputed figures of BERT-base.
@Suite("The cost of BERT-base")
struct PretrainingCostTests {
  private func cost(
    _ efficiency: NarrowEfficiency = .usual, pue: Uncertain = Uncertain(exactly: 1.58)
  ) -> PretrainingCost {
    PretrainingCost.bert(
      PretrainingCost.Terms(
        efficiency: efficiency, pue: pue, grid: Uncertain(exactly: 0.433),
        price: Uncertain(1.61, low: 0.74, high: 2.48), sustained: 30e12))
  }

  @Test("Weights: BERT-base, the toolkit's figure with a narrow pooler, each rank")
  func parameters() {
    let shape = EncoderShape.bertBase
    #expect(shape.parameters(.dense) == 109_482_240)
    #expect(shape.parameters(.rank(256), narrowsPooler: true) == 66_818_304)
    let ranks: [(RankChoice, Double)] = [
      (.rank(64), 35.2), (.rank(100), 41.1), (.rank(128), 45.8), (.share(0.4), 58.4),
      (.rank(192), 56.4), (.rank(256), 67.0),
    ]
    for (choice, millions) in ranks {
      #expect(abs(Double(shape.parameters(choice)) / 1e6 - millions) < 0.05, "\(choice)")
    }
    // A map stays dense from the rank on at which two factors save nothing.
    #expect(shape.parameters(.rank(614)) == shape.parameters(.dense))
    #expect(
      RankChoice.rank(383).rank(768, 768) == 383 && RankChoice.rank(384).rank(768, 768) == nil)
    #expect(RankChoice.rank(613).rank(768, 3072) == 613)
    #expect(RankChoice.share(0.4).rank(768, 768) == 153)
    #expect(RankChoice.share(0.4).rank(3072, 768) == 245)
  }

  @Test("Operations: those of a token in both phases, of all, and the share of the blocks' maps")
  func operations() {
    let (shape, plan) = (EncoderShape.bertBase, PretrainingPlan.bert)
    let perToken = { (choice: RankChoice) in
      plan.phases.map {
        shape.flopsPerToken(choice, length: $0.length, predicted: $0.predicted) / 1e6
      }
    }
    let expected: [(RankChoice, [Double], Double)] = [
      (.dense, [182.1, 195.9], 1), (.rank(64), [33.5, 47.2], 0.202),
      (.rank(100), [45.4, 59.2], 0.266), (.rank(128), [54.7, 68.5], 0.316),
      (.share(0.4), [79.9, 93.7], 0.452), (.rank(192), [75.9, 89.7], 0.430),
      (.rank(256), [97.2, 110.9], 0.544),
    ]
    for (choice, tokens, ratio) in expected {
      for (found, wanted) in zip(perToken(choice), tokens) {
        #expect(abs(found - wanted) < 0.05, "\(choice)")
      }
      #expect(
        abs(plan.flops(shape, choice) / plan.flops(shape, .dense) - ratio) < 5e-4, "\(choice)")
    }
    #expect(abs(shape.mapFlops(.dense) / 1e6 - 169.9) < 0.05)
    #expect(abs(plan.phases.map(plan.tokens).map { $0 / 1e10 }[0] - 2.95) < 0.005)
    #expect(abs(plan.flops(shape, .dense) - 2.38e19) < 5e16)
    #expect(abs(plan.mapShare(shape) - 0.912) < 5e-4)
  }

  @Test("The published row: hours, money, energy and CO2 of the dense model")
  func published() {
    let dense = cost().row(.dense)
    #expect(dense.timeRatio == 1 && dense.efficiency == nil)
    #expect(abs(dense.published.processorHours - 5068.8) < 1e-6)
    #expect(dense.published.dollars.low.rounded() == 3751)
    #expect(dense.published.dollars.high.rounded() == 12_571)
    #expect(dense.published.kilowattHours.value.rounded() == 1507)
    #expect(dense.published.kilograms.value.rounded() == 652)
    let pounds = dense.published.kilowattHours.value * 0.954
    #expect(pounds.rounded() == 1438)
    #expect((pounds * PublishedTraining.kilogramsOfPound).rounded() == 652)
    // 30 TFLOP/s in place of the 1.3 that the published hours mean.
    #expect(dense.fromFlops.processorHours.rounded() == 220)
    #expect(abs(dense.fromFlops.kilowattHours.value - 65.5) < 0.5)
  }

  @Test(
    "What each rank amounts to at η 0.55",
    arguments: [
      (RankChoice.rank(64), 0.30, 1109.0, 3716.0, 445.0, 193.0),
      (.rank(100), 0.41, 1546, 5181, 621, 269), (.rank(128), 0.50, 1886, 6320, 758, 328),
      (.share(0.4), 0.75, 2810, 9418, 1129, 488), (.rank(192), 0.71, 2663, 8925, 1070, 463),
      (.rank(256), 0.92, 3440, 11_529, 1382, 598),
    ])
  func ranks(
    choice: RankChoice, time: Double, low: Double, high: Double, energy: Double, carbon: Double
  ) {
    let row = cost().row(choice)
    #expect(abs(row.timeRatio - time) < 0.005)
    #expect(abs(row.published.dollars.low - low) < 1 && abs(row.published.dollars.high - high) < 1)
    #expect(abs(row.published.kilowattHours.value - energy) < 1)
    #expect(abs(row.published.kilograms.value - carbon) < 1)
    #expect(
      abs(
        row.fromFlops.processorHours - row.timeRatio * cost().row(.dense).fromFlops.processorHours)
        < 1e-9)
  }

  @Test("With η 1 time goes by operations, and the rank that saves three tenths by η")
  func efficiency() {
    for rank in [64, 100, 128, 192, 256] {
      let row = cost(.given(1)).row(.rank(rank))
      #expect(abs(row.timeRatio - row.flopRatio) < 1e-12)
    }
    let ratios = [(64, 0.34), (100, 0.48), (128, 0.60), (192, 0.85), (256, 1.10)]
    for (rank, ratio) in ratios {
      #expect(abs(cost(.given(0.45)).timeRatio(.rank(rank)) - ratio) < 0.006)
    }
    let greatest = [(1, 343), (0.65, 223), (0.55, 188), (0.45, 154)].map { efficiency, rank in
      cost(.given(efficiency)).greatestRank(timeRatio: 0.7) == rank
    }
    #expect(greatest == [true, true, true, true])
    #expect(cost(.given(0.001)).greatestRank(timeRatio: 0.7) == nil)
  }

  @Test("A measured η is that of the rank, between two of them interpolated")
  func measured() {
    let all = [(64, 0.9), (128, 0.8), (256, 0.6)].map {
      NarrowEfficiency.Measurement(rank: $0.0, efficiency: $0.1)
    }
    let efficiency = NarrowEfficiency.measured(all, source: "here")
    let expected = [
      (8, 0.9), (64, 0.9), (96, 0.85), (128, 0.8), (192, 0.7), (256, 0.6), (300, 0.6),
    ]
    for (rank, value) in expected { #expect(abs(efficiency(rank) - value) < 1e-12, "\(rank)") }
    #expect(efficiency.words.contains("0.80 (r 128)") && efficiency.words.hasSuffix("here"))
  }

  @Test("All that is assumed is printed, with how far it may be off")
  func assumptions() {
    let text = PretrainingCostTable(
      cost(pue: Uncertain(1.58, low: 1.48, high: 1.68)), [.rank(128)]
    ).text
    for expected in [
      "as many steps", "188 W", "0.55 of the speed", "91.2 %", "20 of 128 and 76 of 512",
      "three forward passes", "PUE 1.58 (1.48–1.68)", "0.433 kg", "$0.74–2.48", "30 TFLOP/s",
      "1.3 TFLOP/s", "1906.02243", "12041.51 W", "3,751–12,571", "1,886–6,320",
      "kWh may be 0.94 to 1.06 of these", "up to rank 188",
    ] { #expect(text.contains(expected), "\(expected): \(text)") }
  }
}
