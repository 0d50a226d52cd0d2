// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Base
import Collective
import Foundation
import Machine
import Training

/// `lra doctor`: what the machine and the build can do, and what to change.
struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check the machine and the build, and measure what they can do.",
    discussion: """
      lra doctor --json
      mpirun -np 2 --host a:1,b:1 lra doctor     how long they take to add up gradients
      """)

  @Flag(help: "Print one JSON object.")
  var json = false

  private struct Output: Encodable {
    let machine: MachineReport
    let kneeFlopsPerByte: Double
    let warnings: [MachineAdvice]
  }

  func run() throws {
    if OpenMPI.isLaunched() { return try Launched.measureExchange().map(printExchange) ?? () }
    let report = MachineReport.measure(report: printMessage)
    if json {
      let output = Output(
        machine: report, kneeFlopsPerByte: report.kneeFlopsPerByte, warnings: report.advice)
      return try printResult(try jsonText(output))
    }
    try printResult(formatTable(rows(report).map { [$0.0, $0.1] }, leading: 2))
    try printResult("")
    for warning in report.advice {
      try printResult("warning: \(warning.problem)\n         \(warning.remedy)")
    }
    if report.advice.isEmpty { try printResult("Nothing is slow or missing.") }
  }

  private func printExchange(_ measurement: ExchangeMeasurement) throws {
    if json { return try printResult(try jsonText(measurement)) }
    let rows =
      [("ranks", "\(measurement.ranks) on \(counted(measurement.hosts, "host"))")]
      + measurement.sums.map {
        ("sum of \(formatBytes($0.bytes))", String(format: "%.3f ms", $0.seconds * 1000))
      }
    try printResult(formatTable(rows.map { [$0.0, $0.1] }, leading: 2))
  }

  private func rows(_ report: MachineReport) -> [(String, String)] {
    [
      ("processor", "\(report.cpu), \(report.cores) cores, \(report.architecture)"),
      ("vector sets", report.vectorSets.joined(separator: " ")),
      ("build", build(report)),
      ("threads", "\(report.threads) (LRA_THREADS, or --threads where a command has it)"),
      ("memory", formatBytes(report.memoryBytes)),
      ("free disk here", report.freeDiskBytes.map(formatBytes) ?? "unknown"),
      ("zlib", report.zlib),
    ] + blas(report) + [
      ("our kernel", speed(report.kernelGflopsPerS, report.threads, "GFLOP/s")),
      ("  of bf16", report.bf16GflopsPerS.map { speed($0, report.threads, "GFLOP/s") } ?? "none"),
      ("  of int8", report.int8GopsPerS.map { speed($0, report.threads, "GOP/s") } ?? "none"),
      ("main memory", speed(report.memoryGigabytesPerS, report.threads, "GB/s")),
      (
        "roofline knee",
        String(
          format: "%.0f flop/byte: work with fewer is bound by memory", report.kneeFlopsPerByte)
      ),
      ("busy elsewhere", String(format: "%.1f cores", report.busyCores)),
    ]
  }

  private func build(_ report: MachineReport) -> String {
    let flags = report.tuned ? "-march set, " : "without -march, "
    return flags + "vectors of \(report.vectorBits) bits"
  }

  private func blas(_ report: MachineReport) -> [(String, String)] {
    guard let blas = report.blas else { return [("OpenBLAS", "not installed")] }
    return [
      ("OpenBLAS", blas.file),
      ("  kernels", blas.coreType),
      ("  configuration", blas.configuration),
      ("  sgemm", speed(blas.gflopsPerS, report.threads, "GFLOP/s")),
    ]
  }

  private func speed(_ speed: MachineReport.Speed, _ threads: Int, _ unit: String) -> String {
    String(
      format: "%.1f \(unit) on one thread, %.1f on \(threads)", speed.one, speed.all)
  }
}
