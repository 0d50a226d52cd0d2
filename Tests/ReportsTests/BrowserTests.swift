import Foundation
import Reports
import Testing
import Training

/// What a browser makes of the page, where there is one.
@Suite("The page in a browser", .enabled(if: Browser.path != nil))
struct BrowserTests {
  @Test("Nothing is wider than the window, on a phone and on a desk", arguments: [390, 1280])
  func width(_ width: Int) throws {
    try withScratchFolder { folder in
      let models = ["s4d", "linformer", "transformer", "nystromformer"]
      let runs = try models.enumerated().map {
        try SyntheticRun(model: $1, correct: 300 + 50 * $0).record()
      }
      let path = try Report(ReportData(runs: runs)).write(to: "\(folder)/report")
      let page = try String(contentsOfFile: path, encoding: .utf8)
      // The browser makes no window as narrow as a phone's, but a frame is as wide as it is told.
      let probe = """
        <script>addEventListener('load', () => parent.postMessage(
        document.documentElement.clientWidth + ' ' + document.documentElement.scrollWidth, '*'));
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
      let seen = try Browser.document("\(folder)/probe.html", profile: folder)
      let attribute = try #require(
        seen.components(separatedBy: "data-seen=\"").dropFirst().first, "\(seen.prefix(400))")
      let numbers = attribute.prefix { $0 != "\"" }.split(separator: " ").compactMap { Int($0) }
      #expect(numbers == [width, width])
    }
  }
}

/// Chromium without a window.
enum Browser {
  /// The program, nil where it is not installed.
  static let path = ["chromium", "chromium-browser", "google-chrome"].map { "/usr/bin/\($0)" }
    .first { FileManager.default.isExecutableFile(atPath: $0) }

  /// The document of a file after its scripts have run.
  static func document(_ file: String, profile: String) throws -> String {
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
