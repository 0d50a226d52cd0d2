// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("lra top in a terminal", .serialized)
struct TopTests {
  /// What may end it.
  enum End: CaseIterable {
    case key, controlC, terminate, hangUp
  }

  @Test(
    "A key or a signal ends it, and screen and keyboard are as before", arguments: End.allCases)
  func ends(_ end: End) throws {
    try withScratchFolder { folder in
      for run in 0..<20 {
        let path = "\(folder)/\(run)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Data("{}".utf8).write(to: URL(fileURLWithPath: "\(path)/config.json"))
        try Data("done".utf8).write(to: URL(fileURLWithPath: "\(path)/STATUS"))
      }
      try ends(end, folder)
    }
  }

  private func ends(_ end: End, _ folder: String) throws {
    let terminal = try Terminal()
    let process = try terminal.start(["top", folder])
    defer { if process.isRunning { process.terminate() } }
    let seen = try terminal.read(until: "steps/s")
    #expect(seen.contains("\u{1B}[?1049h"))
    #expect(seen.contains("done; q ends"))
    #expect(!terminal.echoes)
    switch end {
    case .key: terminal.type("xq")
    case .controlC: terminal.type("\u{3}")
    case .terminate: kill(process.processIdentifier, SIGTERM)
    case .hangUp: kill(process.processIdentifier, SIGHUP)
    }
    _ = try terminal.read(until: "\u{1B}[?1049l")
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(process.terminationReason == .exit)
    #expect(terminal.echoes)
  }
}

/// A terminal without a window.
private struct Terminal {
  private let user: FileHandle
  private let program: FileHandle

  struct Unavailable: Error {}
  struct Silent: Error { let seen: String }

  init() throws {
    var (own, other): (Int32, Int32) = (0, 0)
    var size = winsize(ws_row: 12, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0)
    guard openpty(&own, &other, nil, nil, &size) == 0 else { throw Unavailable() }
    user = FileHandle(fileDescriptor: own, closeOnDealloc: true)
    program = FileHandle(fileDescriptor: other, closeOnDealloc: true)
  }

  /// Whether what is typed is shown.
  var echoes: Bool {
    var state = termios()
    return tcgetattr(program.fileDescriptor, &state) == 0 && state.c_lflag & tcflag_t(ECHO) != 0
  }

  func start(_ arguments: [String]) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: CommandRunner.program)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: CommandRunner.root)
    (process.standardInput, process.standardOutput) = (program, program)
    process.standardError = FileHandle.nullDevice
    try process.run()
    return process
  }

  func type(_ text: String) { user.write(Data(text.utf8)) }

  /// What the program shows, up to a text.
  func read(until end: String) throws -> String {
    var seen = Data()
    let deadline = Date() + 60
    while Date() < deadline {
      var state = pollfd(fd: user.fileDescriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&state, 1, 100) > 0 else { continue }
      seen += user.availableData
      let text = String(decoding: seen, as: UTF8.self)
      if text.contains(end) { return text }
    }
    throw Silent(seen: String(decoding: seen, as: UTF8.self))
  }
}
