// SPDX-License-Identifier: Apache-2.0

import Base
import Machine

/// The measurements of one width: a line by length for each model.
struct GreenformersSeries {
  /// Something that is measured, of which less is better.
  struct Measure {
    let name: String
    let forward: Bool
    let value: @Sendable (GreenformersLog.Median) -> Double

    static let training = Measure(name: "training time", forward: false) { $0.stepS }
    static let inference = Measure(name: "inference time", forward: true) { $0.stepS }
    static let trainingMemory = Measure(name: "memory of training", forward: false) {
      $0.result.peakTensorMib
    }
    static let inferenceMemory = Measure(name: "memory of inference", forward: true) {
      $0.result.peakTensorMib
    }
    /// All of them.
    static let all = [training, inference, trainingMemory, inferenceMemory]
  }

  /// E.
  let width: Int
  private let medians: [GreenformersCell: GreenformersLog.Median]
  private let cells: [GreenformersCell]

  /// The series of all widths in a log, ascending.
  static func all(_ log: GreenformersLog) -> [GreenformersSeries] {
    let cells = log.medians.keys.filter { $0.part == .models }
    return Set(cells.map(\.width)).sorted().map { width in
      GreenformersSeries(
        width: width, medians: log.medians, cells: cells.filter { $0.width == width })
    }
  }

  private init(
    width: Int, medians: [GreenformersCell: GreenformersLog.Median], cells: [GreenformersCell]
  ) {
    self.width = width
    self.medians = medians
    self.cells = cells.sorted { ($0.order, $0.length) < ($1.order, $1.length) }
  }

  /// The sizes in words.
  var sizes: String {
    guard let cell = cells.first else { return "" }
    return "E \(width), F \(cell.feedForward), H \(cell.heads), \(counted(cell.layers, "layer")), "
      + "batch \(cell.batch)"
  }

  /// The models: the transformer, low-rank ones by rank, linformers by K.
  var names: [String] { cells.map(\.name).distinct }
  var lengths: [Int] { Set(cells.map(\.length)).sorted() }

  /// The names of the models of a kind.
  func names(of model: String) -> [String] {
    cells.filter { $0.model == model }.map(\.name).distinct
  }

  func median(_ name: String, _ length: Int, forward: Bool) -> GreenformersLog.Median? {
    cells.first { $0.name == name && $0.length == length && $0.forward == forward }
      .flatMap { medians[$0] }
  }

  func points(_ name: String, _ measure: Measure) -> [(length: Int, value: Double)] {
    lengths.compactMap { length in
      median(name, length, forward: measure.forward).map { (length, measure.value($0)) }
    }
  }

  /// From which length on one model needs less than another.
  func crossing(_ name: String, before other: String, _ measure: Measure) -> Crossing? {
    Crossing(points(name, measure), points(other, measure))
  }

  /// The file of a model's weights, 4 bytes each; at most a few KiB of names come to them.
  func fileBytes(_ name: String, _ length: Int) -> Int? {
    (median(name, length, forward: false) ?? median(name, length, forward: true)).map {
      4 * $0.result.params
    }
  }
}

extension GreenformersCell {
  /// Where the model stands in a list.
  fileprivate var order: [Double] {
    let kind = ["transformer", "lowrank", "linformer"].firstIndex(of: model) ?? 3
    return [Double(kind), Double(rank ?? 0), share ?? 0, Double(projected ?? 0)]
  }
}

/// Lists are ordered by their first difference.
private func < (a: ([Double], Int), b: ([Double], Int)) -> Bool {
  a.0 == b.0 ? a.1 < b.1 : a.0.lexicographicallyPrecedes(b.0)
}
