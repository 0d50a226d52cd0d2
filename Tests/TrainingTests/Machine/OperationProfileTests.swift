// SPDX-License-Identifier: Apache-2.0

import Autodiff
import Machine
import Testing

@Suite struct OperationProfileTests {
  private let roofline = Roofline(gflopsPerS: 100, gigabytesPerS: 20)

  private func counted(seconds: Double, flops: Int, bytes: Int) -> OperationStatistics {
    var counted = OperationStatistics()
    (counted.calls, counted.seconds, counted.flops, counted.bytes) = (4, seconds, flops, bytes)
    return counted
  }

  @Test("The slower of arithmetic and memory is the bound")
  func bound() {
    #expect(roofline.seconds(flops: 100_000_000_000, bytes: 1) == 1)
    #expect(roofline.seconds(flops: 1, bytes: 40_000_000_000) == 2)
  }

  @Test("A profile tells shares of the time and of the bound, what is left at the end")
  func lines() {
    let statistics = [
      "copy": counted(seconds: 1, flops: 0, bytes: 10_000_000_000),
      "product": counted(seconds: 2, flops: 150_000_000_000, bytes: 1_000_000_000),
      "nothing": counted(seconds: 0.5, flops: 0, bytes: 0),
    ]
    let profile = OperationProfile(statistics, steps: 2, seconds: 4, roofline: roofline)
    #expect(profile.lines.map(\.name) == ["product", "copy", "nothing", "outside operations"])
    #expect(profile.lines.map(\.shareOfBound) == [0.75, 0.5, nil, nil])
    #expect(profile.lines.map(\.share) == [0.5, 0.25, 0.125, 0.125])
    #expect(profile.lines[0].gflopsPerS == 75 && profile.lines[0].calls == 2)
    #expect(profile.stepSeconds == 2)
    let unknown = OperationProfile(statistics, steps: 2, seconds: 4)
    #expect(unknown.lines.allSatisfy { $0.shareOfBound == nil })
  }
}
