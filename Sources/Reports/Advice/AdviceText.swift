// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Tasks

extension Advice {
  /// What is known beyond one's own measurements, to be weighed with them.
  ///
  /// After what others report of Q. Fournier, G. M. Caron and D. Aloise, "A practical survey on faster
  /// and lighter transformers", ACM Computing Surveys 55, 2023, arXiv 2103.14636, whose full text we
  /// did not have; lines marked "ours" are not from there.
  package static let guide = """
    What to weigh besides (second-hand after Fournier, Caron and Aloise 2023, arXiv 2103.14636)
      - A lower complexity is no promise of a faster model: measure time, memory and operations at
        several lengths, with the same batch on the same machine.
      - Nothing wins on all tasks: patterns (bigbird, longformer) keep accuracy, kernels (performer,
        linear) are fastest, low rank (linformer) is lightest.
      - Up to some 512 tokens the projections cost most, and another attention saves little; low-rank
        factors (lowrank) do. (ours)
      - From there to some 4,000 tokens, where quality comes first: exact attention in tiles; then
        patterns when memory is short. (ours)
      - Long inputs and few weights: linformer, or a state space (s4d, lru). (ours)
      - When training memory is the wall: tiles, then smaller parts of a batch
        (train.accumulation), then reversible blocks (reformer). (ours)
    """

  /// The answer for people, of at most a hundred columns.
  package var text: String {
    if question.goal != nil { return methodText }
    var parts = [wrapped(recommendation)]
    if !candidates.isEmpty { parts.append(table("Measured and fitting", candidates)) }
    if !excluded.isEmpty { parts.append(table("Measured, not fitting", excluded)) }
    if let costs {
      parts.append(
        wrapped("Accuracy not measured at this length; a training step (\(costs.size))") + "\n"
          + Self.table(costs.rows, memory: question.memory, time: question.time))
    }
    if !unmeasured.isEmpty {
      let names = unmeasured.joined(separator: ", ")
      parts.append(
        wrapped("Not trained on \(question.task) at \(question.length) tokens: \(names)") + "\n"
          + """
          train them with:
            \(programWord) leaderboard --tasks \(question.task) --lengths \(question.length) \
          --models \(unmeasured.prefix(2).joined(separator: ",")) --budget 1h
          """)
    }
    return (parts + [methodText, Self.guide]).joined(separator: "\n\n")
  }

  /// The methods for the goal; without one those that were measured, and the goals that were not.
  private var methodText: String {
    let model = candidates.first?.model ?? "transformer"
    if question.goal != nil {
      return methods.map { $0.text(question, model: model) }.joined(separator: "\n\n")
    }
    let known = methods.filter { !$0.choices.isEmpty }
    let unknown = methods.filter(\.choices.isEmpty).map(\.goal.rawValue).joined(separator: ", ")
    return
      (known.map { $0.text(question, model: model) }
      + (unknown.isEmpty
        ? []
        : [
          wrapped(
            "Methods for \(unknown): not measured on \(question.task); what to try first says "
              + "\(programWord) advise --task \(question.task) --goal GOAL")
        ]))
      .joined(separator: "\n\n")
  }

  private var recommendation: String {
    guard let first = candidates.first else {
      let place = "\(question.task) at \(question.length) tokens"
      return excluded.isEmpty
        ? "No model was trained on \(place) yet." : "No model that was measured fits \(place)."
    }
    let equals = candidates.dropFirst().filter(\.isAsGoodAsTheBest).map { other in
      let schedule = other.isWhole ? "" : ", only \(Self.steps(other)) steps"
      return "\(other.model) (\(formatDuration(seconds: other.seconds))\(schedule))"
    }
    let remark =
      equals.isEmpty ? "" : "; not distinguishable on validation: \(equals.joined(separator: ", "))"
    return """
      Take \(first.model): \(formatPercent(first.accuracy)) ± \(formatPercent(first.error)) \
      (n = \(first.seeds)) in \(formatDuration(seconds: first.seconds)) and \
      \(formatBytes(first.memory)), with \(first.conditions), \(Self.steps(first)) \
      steps\(remark).\(origin)\(warning)
      """
  }

  /// What to beware of where runs are not the user's own.
  private var origin: String {
    let published = (candidates + excluded).filter(\.isPublished)
    guard !published.isEmpty else { return "" }
    let processors = Set(published.compactMap(\.processor)).sorted().joined(separator: ", ")
    return """

      Published runs stand in for models without own runs, with the times of their machine\
      \(processors.isEmpty ? "" : " (\(processors))"); train one here to know your own.
      """
  }

  /// What to beware of where models were trained for different numbers of steps.
  private var warning: String {
    let steps = Set((candidates + excluded).map(\.steps))
    return steps.count < 2
      ? ""
      : """

      Schedules differ in length, see the column steps: a short one tells how fast a model starts, not \
      how good it ends. "whole" is the time of the preset's schedule at the speed of the run.
      """
  }

  /// The steps taken, and of how many where the preset has more.
  private static func steps(_ candidate: Candidate) -> String {
    let taken = formatCount(candidate.steps)
    return candidate.isWhole ? taken : "\(taken) of \(formatCount(candidate.wholeSteps ?? 0))"
  }

  /// A row for each model, with signs for what is common, and below it what is not.
  private func table(_ title: String, _ candidates: [Candidate]) -> String {
    let rows = candidates.map { candidate in
      [
        candidate.model,
        (candidate.isAsGoodAsTheBest ? "=" : "") + (candidate.isPublished ? "*" : ""),
        candidate.validation.map(formatPercent) ?? "", formatPercent(candidate.accuracy),
        "± \(formatPercent(candidate.error))", "\(candidate.seeds)", Self.steps(candidate),
        formatDuration(seconds: candidate.seconds),
        candidate.wholeSeconds.map { formatDuration(seconds: $0) } ?? "",
        formatBytes(candidate.memory),
      ]
    }
    let signs =
      (candidates.contains(where: \.isAsGoodAsTheBest) ? ["= as good as the best"] : [])
      + (candidates.contains(where: \.isPublished) ? ["* published"] : [])
    let heading = ["model", "", "val", "test", "", "n", "steps", "training", "whole", "memory"]
    return title + (signs.isEmpty ? "" : " (\(signs.joined(separator: ", ")))") + "\n"
      + formatTable([heading] + rows, leading: 2, remarks: candidates.map(remarks))
  }

  /// Conditions that are not those of the task's first preset, and what stands against a model.
  private func remarks(_ candidate: Candidate) -> String {
    let usual = (try? TaskCatalog.named(question.task))?.presets.first?.name
    return ((candidate.conditions == usual ? [] : [candidate.conditions]) + candidate.objections)
      .joined(separator: "; ")
  }

  private static func table(_ costs: [StepCost], memory: Int?, time: Double?) -> String {
    let rows = costs.map { cost in
      let sign = cost.isInterpolated ? "~" : ""
      return [
        cost.model, "\(sign)\(String(format: "%.3g", cost.seconds)) s",
        sign + formatBytes(cost.memory),
        cost.wholeSeconds.map { "~\(formatDuration(seconds: $0))" } ?? "",
      ]
    }
    let note = """
      ~: computed; a step between two measured lengths on logarithmic scales, "whole", the time of the \
      preset's schedule, from the time of a step and the ratio of the batches
      """
    return formatTable(
      [["model", "a step", "memory", "whole"]] + rows,
      remarks: costs.map { remarks($0, memory: memory, time: time) }) + "\n" + wrapped(note)
  }

  /// The accuracies at other lengths, and the limits that are broken.
  private static func remarks(_ cost: StepCost, memory: Int?, time: Double?) -> String {
    let limits = [
      memory.flatMap { cost.memory > $0 ? "> \(formatBytes($0))" : nil },
      time.flatMap { limit in
        cost.wholeSeconds.flatMap { $0 > limit ? "> \(formatDuration(seconds: limit))" : nil }
      },
    ]
    let elsewhere = cost.elsewhere.map {
      "\(formatPercent($0.accuracy)) at \(formatCount($0.length))"
    }
    return (elsewhere + limits.compactMap(\.self)).joined(separator: "; ")
  }
}
