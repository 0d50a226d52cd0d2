// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Our speed and memory beside PyTorch's, a row a model and a column a setting.
package struct PeerTables: Sendable {
  private typealias Cell = ReportTable.Cell

  private let models: [String]
  private let settings: [PeerComparison.Setting]
  private let cells: [PeerComparison.Setting: [String: PeerComparison]]
  private let rounds: [PeerRound]

  /// Tables of rounds, those of each machine apart.
  package init(_ rounds: [PeerRound]) {
    self.rounds = rounds
    models = rounds.map(\.model).distinct
    cells = Dictionary(grouping: rounds, by: PeerComparison.Setting.init).mapValues { column in
      Dictionary(grouping: column, by: \.model).mapValues(PeerComparison.init)
    }
    settings = cells.keys.sorted()
  }

  // MARK: Tables

  /// Training, inference, memory, and first steps, of each machine.
  package var all: [ReportTable] {
    Set(settings.map(\.processor)).sorted().flatMap { processor in
      let columns = settings.filter { $0.processor == processor }
      let training = columns.filter { !$0.forward }
      let single = training.filter { $0.threads == 1 }
      return [
        bytes(columns.filter { $0.precision == "int8" }),
        ratios(training, "training"),
        ratios(columns.filter { $0.forward && $0.precision != "int8" }, "inference"),
        pairs(
          single, "memory", "Peak memory of training, ours / PyTorch's, MiB",
          of: { ($0.memoryText, $0.memory.own / $0.memory.peer) }),
        pairs(
          single, "first", "Seconds from the command to the first step's end, ours / PyTorch's",
          of: { cell in cell.firstStepText.map { ($0, cell.firstStep?.own) } }),
      ].compactMap { $0 }
    }
  }

  private func ratios(_ columns: [PeerComparison.Setting], _ what: String) -> ReportTable? {
    guard let processor = columns.first?.processor else { return nil }
    var table = ReportTable(
      id: "peers-\(what)-\(processor)", title: "PyTorch's time / ours, \(what)",
      caption: caption(columns),
      columns: [.text("model")] + columns.map { .number($0.title) },
      notes: [
        "Median of the rounds (their middle half), and our share of the peak of sgemm. In each round "
          + "the two take a few steps one after the other; PyTorch as it is, or compiled where that "
          + "was measured and faster."
      ])
    for model in models(in: columns) {
      let row = columns.map { cells[$0]?[model] }
      table.add(
        [Cell(model)]
          + row.map { $0.map { Cell($0.text(withRange: true), value: $0.ratio) } ?? .empty })
    }
    table.add(
      [Cell("geometric mean")] + columns.map { Cell(meanText($0), value: mean($0)) })
    return table
  }

  /// Our products of bytes beside PyTorch's dynamic quantisation and floats on both sides, a row for each
  /// model and setting.
  private func bytes(_ columns: [PeerComparison.Setting]) -> ReportTable? {
    guard let processor = columns.first?.processor else { return nil }
    var table = ReportTable(
      id: "peers-int8-\(processor)", title: "Answers with bytes (int8): others' time / ours",
      caption: caption(columns, withBatch: false),
      columns: [
        .text("model"), .text("setting"), .number("PyTorch int8"), .number("PyTorch fp32"),
        .number("our fp32"), .number("our bf16"),
      ],
      notes: [
        "Median of the rounds; in each all five take a few passes one after the other. PyTorch int8 is "
          + "torch.ao.quantization.quantize_dynamic of all nn.Linear."
      ])
    for setting in columns {
      for model in models(in: [setting]) {
        guard let cell = cells[setting]?[model] else { continue }
        let others = [cell.ratio, cell.bytes.peerFp32, cell.bytes.fp32, cell.bytes.bf16]
        table.add(
          [Cell(model), Cell(setting.title)]
            + others.map { ratio in
              ratio.map { Cell(PeerComparison.text($0), value: $0) } ?? .empty
            })
      }
    }
    return table
  }

  /// Our figure and PyTorch's of every model; nil where nothing has any.
  private func pairs(
    _ columns: [PeerComparison.Setting], _ what: String, _ title: String,
    of figures: (PeerComparison) -> (text: String, order: Double?)?
  ) -> ReportTable? {
    let columns = columns.filter { cells[$0]?.values.contains { figures($0) != nil } == true }
    guard let processor = columns.first?.processor else { return nil }
    var table = ReportTable(
      id: "peers-\(what)-\(processor)", title: title, caption: caption(columns),
      columns: [.text("model")] + columns.map { .number("\($0.shape), L \($0.length)") })
    for model in models(in: columns) {
      let row = columns.map { cells[$0]?[model].flatMap(figures) }
      table.add(
        [Cell(model)] + row.map { $0.map { Cell($0.text, value: $0.order) } ?? .empty })
    }
    return table
  }

  /// The models that were measured in any of these settings.
  private func models(in columns: [PeerComparison.Setting]) -> [String] {
    models.filter { model in columns.contains { cells[$0]?[model] != nil } }
  }

  /// The machine, PyTorch's version, and what the names of shapes stand for.
  private func caption(
    _ columns: [PeerComparison.Setting], withBatch: Bool = true
  ) -> String {
    let shown = rounds.filter { columns.contains(PeerComparison.Setting($0)) }
    let sizes = shown.map { round in
      (
        round.own.emb,
        "\(round.shape): E \(round.own.emb), H \(round.own.heads), \(round.own.layers) layers, F "
          + "\(round.own.mlp)"
      )
    }
    let shapes = Dictionary(sizes) { first, _ in first }.sorted { $0.key < $1.key }.map(\.value)
    let versions = Set(shown.map(\.peer.torch)).sorted().joined(separator: ", ")
    return
      (["\(columns[0].processor)", "PyTorch \(versions)"]
      + (withBatch ? ["batch \(shown[0].batch)"] : []) + shapes)
      .joined(separator: "; ")
  }

  /// The geometric mean of a column's ratios.
  private func mean(_ setting: PeerComparison.Setting) -> Double? {
    // In a fixed order, so that the sum is the same to the bit.
    let logarithms = models.compactMap { cells[setting]?[$0] }.map { log($0.ratio) }
    guard !logarithms.isEmpty else { return nil }
    return exp(logarithms.reduce(0, +) / Double(logarithms.count))
  }

  private func meanText(_ setting: PeerComparison.Setting) -> String {
    mean(setting).map(PeerComparison.text) ?? ""
  }

  // MARK: Reproduction

  /// The commands that measured this, each once, however many machines they ran on.
  package var commands: [String] { settings.map(command).distinct }

  private func command(_ setting: PeerComparison.Setting) -> String {
    let compiled = cells[setting]?.values.contains(where: \.hasCompiled) == true
    let options =
      (setting.forward ? " --forward" : "") + (compiled ? " --compile" : "")
      + (setting.precision.isEmpty ? "" : " --precision \(setting.precision)")
      + (setting.batch == PeerComparison.Setting.usualBatch ? "" : " --batch \(setting.batch)")
    return "make bench-peers ARGS=\"--shape \(setting.shape) --length \(setting.length) "
      + "--threads \(setting.threads)\(options)\""
  }

  /// The ratios and memories in the tables of a text that were not measured for the model, or the mean,
  /// that the row is for, as `linear: 2.10x`.
  package func unexplained(in text: String) -> [String] {
    let known = figures
    return text.split(separator: "\n").filter { $0.hasPrefix("| ") }.flatMap { line -> [String] in
      let row = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      guard let name = row.first else { return [] }
      return row.dropFirst().filter { cell in
        cell.wholeMatch(of: /\d+\.\d\dx.*|\d+ \/ \d+/) != nil
          && known[name]?.contains(cell) != true
      }.map { "\(name): \($0)" }
    }
  }

  /// What the tables say of each model, and of the mean.
  private var figures: [String: Set<String>] {
    var figures: [String: Set<String>] = [:]
    for (setting, column) in cells {
      figures["geometric mean", default: []].insert(meanText(setting))
      for (model, cell) in column {
        figures[model, default: []].formUnion([
          cell.text(withRange: true), cell.text(withRange: false),
          PeerComparison.text(cell.ratio), cell.memoryText,
        ])
        let bytes = [cell.bytes.fp32, cell.bytes.bf16, cell.bytes.peerFp32].compactMap(\.self)
        figures[model, default: []].formUnion(bytes.map(PeerComparison.text))
      }
    }
    return figures
  }
}
