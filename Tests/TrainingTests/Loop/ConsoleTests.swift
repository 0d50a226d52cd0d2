// SPDX-License-Identifier: Apache-2.0

import Testing
import Training

@Suite("Console")
struct ConsoleTests {
  final class Screen {
    var text = ""
    var log: [String] = []
    var now = 0.0
  }

  let progress = TrainingProgress(
    step: 1200, steps: 5000, loss: 1.93124, accuracy: 0.3239, rate: 9.8e-5, stepsPerSecond: 2.412,
    eta: 1560)

  @Test("Progress reads as one line")
  func line() {
    #expect(
      progress.description
        == "step  1200/5000  loss 1.9312  accuracy 32.4 %  lr 9.8e-05  2.41 steps/s  ETA 26 min")
    var early = progress
    early.step = 7
    early.eta = nil
    early.stepsPerSecond = 123.4
    #expect(
      early.description
        == "step     7/5000  loss 1.9312  accuracy 32.4 %  lr 9.8e-05  123 steps/s")
  }

  @Test(
    "Lines are rewritten only on a capable terminal that no build server reads",
    arguments: [
      ([:], true, true), ([:], false, false), (["TERM": "dumb"], true, false),
      (["CI": "true"], true, false), (["CI": "", "TERM": "xterm"], true, true),
    ] as [([String: String], Bool, Bool)])
  func form(environment: [String: String], isTerminal: Bool, rewrites: Bool) {
    #expect(usesTerminalForm(environment: environment, isTerminal: isTerminal) == rewrites)
  }

  @Test("The plain console keeps its pace, but never swallows evaluations, ends or messages")
  func plain() {
    let screen = Screen()
    let console = PlainConsole(
      interval: 30, clock: { screen.now }, show: { screen.text += $0 },
      keep: { screen.log.append($0) })
    for (now, evaluated) in [(0.0, false), (29, false), (30, false), (31, true), (60, false)] {
      screen.now = now
      console.printProgress(progress, evaluated: evaluated)
    }
    console.printMessage("hello")
    var last = progress
    last.step = 5000
    console.printProgress(last, evaluated: false)
    #expect(screen.log.count == 5)
    #expect(screen.log[3] == "hello")
    #expect(screen.text == screen.log.map { $0 + "\n" }.joined())
  }

  @Test("A narrow screen leaves out whole parts, never digits, and the time to the end last")
  func narrow() {
    let full = progress.description.components(separatedBy: "  ")
    for columns in 15...90 {
      let line = progress.line(columns: columns)
      #expect(line.count <= columns)
      #expect(line.components(separatedBy: "  ").allSatisfy(full.contains), "\(line)")
      #expect(line.hasSuffix("ETA 26 min") == (columns >= 27), "\(line)")
    }
    #expect(progress.line(columns: 90) == progress.description)
    #expect(progress.line(columns: 79).contains("2.41 steps/s"))
    #expect(progress.line(columns: 5) == "step ")
  }

  @Test("The terminal console rewrites one line, fitted to the width, and clears it for messages")
  func terminal() {
    let screen = Screen()
    var width = 41
    let console = TerminalConsole(
      interval: 30, clock: { screen.now }, columns: { width }, show: { screen.text += $0 },
      keep: { screen.log.append($0) })
    console.printProgress(progress, evaluated: false)
    #expect(screen.text == "\rstep  1200/5000  loss 1.9312  ETA 26 min")
    screen.now = 0.05
    console.printProgress(progress, evaluated: false)
    #expect(screen.text.count == 41, "too early to rewrite")
    screen.now = 1
    width = 21
    screen.text = ""
    console.printProgress(progress, evaluated: false)
    // The shorter line wipes out the longer one.
    #expect(
      screen.text == "\rstep  1200/5000" + String(repeating: " ", count: 25))
    screen.text = ""
    console.printMessage("saved")
    #expect(screen.text == "\r" + String(repeating: " ", count: 15) + "\rsaved\n")
    screen.text = ""
    console.printProgress(progress, evaluated: true)
    #expect(screen.text == "\rstep  1200/5000\n")
    console.finish()
    #expect(screen.text.hasSuffix("\n") && !screen.text.hasSuffix("\n\n"))
    #expect(screen.log == [progress.description, "saved", progress.description])
    #expect(!screen.text.contains("\u{1B}"))
  }

  @Test("Lasting lines are appended to the log")
  func log() throws {
    try withTemporaryFolder { root in
      for text in ["one", "two"] {
        try makeConsole(logPath: "\(root)/log.txt").printMessage(text)
      }
      #expect(contents("\(root)/log.txt") == "one\ntwo\n")
      #expect(userError { _ = try makeConsole(logPath: "\(root)/x/log.txt") }?.kind == .cannotWrite)
    }
  }
}
