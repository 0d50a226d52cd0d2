// SPDX-License-Identifier: Apache-2.0

import Base
import Testing

@Suite("Format")
struct FormatTests {
  @Test(
    "Durations read as people say them",
    arguments: [
      (0.4, "0 s"), (45, "45 s"), (59.6, "1 min"), (1560, "26 min"), (3599, "1 h 00 min"),
      (3900, "1 h 05 min"), (100000, "27 h 47 min"), (Double.infinity, "unknown"), (-1, "unknown"),
    ])
  func duration(seconds: Double, text: String) {
    #expect(formatDuration(seconds: seconds) == text)
  }

  @Test(
    "Sizes use binary units",
    arguments: [
      (0, "0 B"), (1023, "1023 B"), (3 << 10, "3.0 KiB"), ((1 << 20) - 1, "1.0 MiB"),
      (75_497_472, "72.0 MiB"), (1_610_612_736, "1.5 GiB"), (1 << 41, "2.0 TiB"),
    ])
  func bytes(count: Int, text: String) {
    #expect(formatBytes(count) == text)
  }

  @Test(
    "Durations parse",
    arguments: [
      ("20m", 1200), ("1h30m", 5400), ("45s", 45), ("90", 90), ("1.5h", 5400), ("2D", 172_800),
      ("1h5s", 3605),
    ] as [(String, Double)])
  func parse(text: String, seconds: Double) throws {
    #expect(try parseDuration(text) == seconds)
  }

  @Test(
    "Anything else is refused with the option's name",
    arguments: ["", "m", "20x", "30m1h", "1h1h", "0", "0s", "-5", "1h30", "1..5m", "nan", "1e9"])
  func refuse(text: String) throws {
    let error = userError { _ = try parseDuration(text, option: "--budget") }
    #expect(error?.kind == .usage)
    #expect(error?.problem.contains("--budget") == true)
  }

  @Test("Sizes are read with units of 1,024, and nonsense is refused")
  func bytes() throws {
    #expect(try parseBytes("4GiB") == 4 << 30)
    #expect(try parseBytes("512MiB") == 512 << 20)
    #expect(try parseBytes("4G") == 4 << 30)
    #expect(try parseBytes("1.5 kb") == 1536)
    #expect(try parseBytes("1000") == 1000)
    for text in ["", "GiB", "0", "-1", "4X", "1e30", "4GiBB"] {
      #expect(throws: UserError.self, "\(text)") { try parseBytes(text, option: "--memory") }
    }
  }
}
