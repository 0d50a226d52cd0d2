// SPDX-License-Identifier: Apache-2.0

import Foundation
import Machine
import Testing

@Suite("RunEnvironment")
struct RunEnvironmentTests {
  @Test("The description names this machine and survives JSON")
  func description() throws {
    let environment = RunEnvironment(threads: 2)
    #expect(environment.threads == 2 && environment.cores >= 1)
    #expect(environment.memoryBytes > 1 << 27)
    #expect(!environment.host.isEmpty && !environment.command.isEmpty)
    #expect(environment.started.hasSuffix("Z"))
    let json = try JSONEncoder().encode(environment)
    #expect(try JSONDecoder().decode(RunEnvironment.self, from: json) == environment)
  }

  @Test("The processor's name is the first one listed")
  func cpu() {
    let text = "processor\t: 0\nmodel name\t: Fast CPU: 3 GHz\nmodel name\t: Other\n"
    #expect(RunEnvironment.cpuModel(in: text) == "Fast CPU: 3 GHz")
    #expect(RunEnvironment.cpuModel(in: "") == "unknown")
  }

  @Test("The memory peak is that of the whole process, in bytes")
  func memory() {
    #expect(peakResidentBytes() > 1 << 20)
    let size = 1 << 26
    let block = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 4096)
    memset(block, 1, size)
    block.deallocate()
    #expect(peakResidentBytes() >= size)
  }
}
