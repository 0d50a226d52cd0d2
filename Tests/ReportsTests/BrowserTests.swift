// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation
import Machine
import Models
import Reports
import Testing
import Training

/// What a browser makes of the page, where there is one.
@Suite(
  "The pages in a browser",
  .enabled(if: Browser.path != nil, "there is no Chromium in /usr/bin: apt-get install chromium"))
struct BrowserTests {
  @Test("Nothing is wider than the window, on a phone and on a desk", arguments: [390, 1400])
  func width(_ width: Int) throws {
    for page in ["index.html", "runs.html"] {
      let seen = try Browser.answer(
        ReportData(runs: try someRuns), page, width: width,
        """
        [...document.querySelectorAll('details')].map(each => each.open = true)
          && [document.documentElement.clientWidth, document.documentElement.scrollWidth]
        """)
      #expect(seen.count == 2 && seen[0] == seen[1] && seen[0] > width - 20, "\(page): \(seen)")
    }
  }

  private var someRuns: [RunRecord] {
    get throws {
      let models = ["s4d", "linformer", "transformer", "nystromformer"]
      return try models.enumerated().map {
        try SyntheticRun(
          model: $1, correct: 300 + 50 * $0, changed: "train.learning-rate model.feed-forward",
          extra: ["train.learning-rate": 0.003, "model.feed-forward": 128]
        ).record()
      }
    }
  }

  @Test("On a desk every column of the accuracies is seen; on a phone the table scrolls by itself")
  func columns() throws {
    let hidden = """
      [...document.querySelectorAll('details')].map(each => each.open = true)
        && [Math.max(...[...document.querySelectorAll('.box')]
          .filter(box => /difference|remark/.test(box.querySelector('thead')?.textContent))
          .map(box => box.scrollWidth - box.clientWidth))]
      """
    let data = ReportData(runs: try someRuns)
    #expect(try Browser.answer(data, width: 1400, hidden) == [0])
    #expect(try (Browser.answer(data, width: 390, hidden).first ?? 0) > 100)
  }

  @Test(
    "No words of a plot cover others, a marker or the edge", arguments: [390, 500, 1400])
  func overlaps(_ width: Int) throws {
    let runs = try VariantCatalog.all.enumerated().map { place, variant in
      var run = try SyntheticRun(model: variant.name, correct: 400 + 7 * (place % 5)).record()
      run.result?.stepsPerSecond = 0.5 + 0.12 * Double(place)
      run.result?.peakResidentBytes = (1 + place % 4) << 28
      return run
    }
    let speed = [512, 1024, 2048, 4096].map { length in
      BenchmarkResult(
        model: "s4d", length: length, batch: 8, towers: 1, emb: 64, heads: 2, layers: 2, mlp: 128,
        stepS: Double(length) / 1e7, minS: 1, tokensPerS: 1, peakRssMib: length * 20, params: 1,
        threads: 1, forward: false, flops: 1, gflopsPerS: 1, peakTensorMib: 1, sgemmGflopsPerS: 1,
        mfu: 0.5, pageFaultsPerStep: 0)
    }
    let seen = try Browser.answer(ReportData(runs: runs, speed: speed), width: width, Self.meetings)
    // Every mark has its name.
    #expect(seen == [0, runs.count], "\(seen)")
  }

  /// How many words cover something, and how many names there are.
  ///
  /// A line is higher than its letters, by more than the three pixels that are allowed.
  private static let meetings = """
    (() => {
      let found = 0;
      document.querySelectorAll('details').forEach(each => each.open = true);
      for (const plot of document.querySelectorAll('figure > svg')) {
        const edge = plot.getBoundingClientRect();
        const texts = [...plot.querySelectorAll('text')];
        const names = [...plot.querySelectorAll('.name')];
        const marks = names.length ? [...plot.querySelectorAll('.mark')] : [];
        const meet = (one, other) => {
          const [a, b] = [one.getBoundingClientRect(), other.getBoundingClientRect()];
          return Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
            && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3;
        };
        texts.forEach((text, place) => {
          const box = text.getBoundingClientRect();
          if (box.left < edge.left - 1 || box.right > edge.right + 1) found += 1;
          found += texts.slice(place + 1).filter(other => meet(text, other)).length;
        });
        for (const name of names) found += marks.filter(mark => meet(name, mark)).length;
      }
      return [found, document.querySelectorAll('.name').length];
    })()
    """
}

/// Chromium without a window.
enum Browser {
  /// The program, nil where it is not installed.
  static let path = ["chromium", "chromium-browser", "google-chrome"].map { "/usr/bin/\($0)" }
    .first { FileManager.default.isExecutableFile(atPath: $0) }

  /// The numbers that a script finds in a report's page in a window of some width.
  static func answer(
    _ data: ReportData, _ page: String = "index.html", width: Int, _ script: String
  ) throws -> [Int] {
    try withScratchFolder { folder in
      _ = try Report(data).write(to: "\(folder)/report")
      let page = try String(contentsOfFile: "\(folder)/report/\(page)", encoding: .utf8)
      // The browser makes no window as narrow as a phone's, but a frame is as wide as it is told.
      let probe = """
        <script>addEventListener('load', () => parent.postMessage((\(script)).join(' '), '*'));
        </script></body>
        """
      try page.replacingOccurrences(of: "</body>", with: probe).write(
        toFile: "\(folder)/inner.html", atomically: false, encoding: .utf8)
      let frame = """
        <!DOCTYPE html><body><script>addEventListener('message', event =>
        document.body.setAttribute('data-seen', event.data));</script>
        <iframe src="inner.html" style="width:\(width)px;height:4000px;border:0"></iframe></body>
        """
      try frame.write(toFile: "\(folder)/probe.html", atomically: false, encoding: .utf8)
      let seen = try document("\(folder)/probe.html", profile: folder)
      let attribute = try #require(
        seen.components(separatedBy: "data-seen=\"").dropFirst().first, "\(seen.prefix(400))")
      return attribute.prefix { $0 != "\"" }.split(separator: " ").compactMap { Int($0) }
    }
  }

  /// The document of a file after its scripts have run.
  private static func document(_ file: String, profile: String) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(path))
    process.arguments = [
      "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir=\(profile)/profile",
      "--window-size=1600,5000", "--virtual-time-budget=4000", "--dump-dom", "file://\(file)",
    ]
    let output = "\(profile)/dom.html"
    try Data().write(to: URL(fileURLWithPath: output))
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return try String(contentsOfFile: output, encoding: .utf8)
  }
}
