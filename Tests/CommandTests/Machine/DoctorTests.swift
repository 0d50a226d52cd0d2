// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine
import Testing

@Suite("lra doctor")
struct DoctorTests {
  @Test("measures the machine and prints one JSON object")
  func measures() throws {
    let run = try CommandRunner.lra("doctor --json")
    #expect(run.status == 0)
    let object = try run.object()
    let machine = try #require(object["machine"] as? [String: Any])
    for name in ["kernel_gflops_per_s", "memory_gigabytes_per_s"] {
      let speed = try #require(machine[name] as? [String: Double], "\(name)")
      #expect((speed["one"] ?? 0) > 0.1)
      #expect((speed["all"] ?? 0) > 0.1)
    }
    #expect(try #require(object["knee_flops_per_byte"] as? Double) > 0)
    #expect(machine["tuned"] as? Bool == true)
    #expect((machine["zlib"] as? String)?.hasPrefix("1.") == true)
    #expect(object["warnings"] is [Any])
  }

  @Test("prints a readable report, and warns about too many threads")
  func report() throws {
    let cores = usableCores
    let run = try CommandRunner.lra("doctor", environment: ["LRA_THREADS": "\(cores + 1)"])
    #expect(run.status == 0)
    for name in ["processor", "vector sets", "OpenBLAS", "our kernel", "roofline knee"] {
      #expect(run.lines.contains { $0.hasPrefix(name) }, "\(name)")
    }
    #expect(run.output.contains("\(cores + 1) threads are asked for"))
    #expect(run.errors.contains("measuring"))
  }

  @Test("a good machine gets no advice")
  func noAdvice() throws { #expect(try machine().advice == []) }

  @Test(
    "what is slow or missing gets its advice",
    arguments: [
      (#""tuned": false"#, "make build"),
      (#""kernelGflopsPerS": {"one": 0.7, "all": 1.4}"#, "make build"),
      (#""vectorBits": 256"#, "make build"),
      (#""blas": null"#, "apt-get install libopenblas-dev"),
      (#""threads": 9"#, "LRA_THREADS"),
      (#""busyCores": 1.5"#, "Stop them"),
      (#""kernelGflopsPerS": {"one": 100, "all": 101}"#, "container"),
      (#""kernelSpread": 0.4"#, "lra doctor again"),
      (#""freeDiskBytes": 1000000"#, "LRA_DATA"),
      (
        #""blas": {"file": "x", "coreType": "Prescott", "configuration": "","#
          + #" "gflopsPerS": {"one": 30, "all": 60}}"#, "OPENBLAS_CORETYPE=SkylakeX"
      ),
    ])
  func advice(change: String, remedy: String) throws {
    let advice = try machine(changing: change).advice
    #expect(advice.count == 1)
    #expect(advice.first?.remedy.contains(remedy) == true)
  }

  @Test("busy time leaves out idling and waiting for disks")
  func processorTime() {
    let text = "cpu  10 20 30 1000 500 1 2 3 400 500\ncpu0 9 9 9 9 9 9 9 9 9 9\n"
    #expect(MachineReport.processorTime(in: text) == 10 + 20 + 30 + 1 + 2 + 3)
    #expect(MachineReport.processorTime(in: "") == 0)
  }

  /// A machine that is fine except for one member.
  private func machine(changing change: String = "") throws -> MachineReport {
    var members = try jsonObject(
      """
      {"cpu": "a", "architecture": "x86_64", "cores": 2, "threads": 2, "memoryBytes": 1,
      "freeDiskBytes": 99999999999, "tuned": true, "vectorBits": 512, "zlib": "1.2.13",
      "vectorSets": ["avx2", "fma", "avx512f", "avx512dq", "avx512bw", "avx512vl"],
      "blas": {"file": "x", "coreType": "SkylakeX", "configuration": "",
      "gflopsPerS": {"one": 100, "all": 200}},
      "kernelGflopsPerS": {"one": 100, "all": 200}, "kernelSpread": 0.02,
      "memoryGigabytesPerS": {"one": 10, "all": 20}, "busyCores": 0.1}
      """)
    members.merge(try jsonObject("{\(change)}")) { $1 }
    return try JSONDecoder().decode(
      MachineReport.self, from: JSONSerialization.data(withJSONObject: members))
  }
}
