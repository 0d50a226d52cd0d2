// SPDX-License-Identifier: Apache-2.0

import Base
import Tasks
import Testing

@Suite struct ListOpsTSVTests {
  private func read(
    _ text: String, length: Int = 2000, count: Int? = nil
  ) throws -> ListOpsTSV.Content {
    let folder = try Scratch()
    return try ListOpsTSV.read(folder.write(text, "f.tsv"), length: length, count: count)
  }

  @Test("Genuine lines are read and written back byte for byte")
  func roundTrip() throws {
    let lines = genuineSample.split(separator: "\n")
    #expect(lines.count == 10)
    let content = try read("Source\tTarget\r\n" + lines.map { $0 + "\r\n" }.joined())
    let examples = content.examples
    #expect(examples.count == 10)
    #expect(content.cut == 0)
    for (example, line) in lines.enumerated() {
      let written = ListOpsTSV.line(examples[example], label: examples.labels[example])
      #expect(String(decoding: written, as: UTF8.self) == line + "\r\n")
    }
  }

  @Test("The original's example")
  func example() throws {
    let line = "( ( ( [MAX 4 ) 3 ) ] )\t4\r\n"
    let content = try read("Source\tTarget\r\n" + line)
    #expect(Array(content.examples[0]) == [12, 5, 4, 15])
    #expect(ListOpsTSV.line([12, 5, 4, 15], label: 4) == Array(line.utf8))
    #expect(ListOpsTSV.line([8], label: 7) == Array("7\t7\r\n".utf8))
  }

  @Test("Line ends, missing brackets and X do not matter")
  func variants() throws {
    let expected = try read("Source\tTarget\r\n( ( ( [MAX 4 ) 3 ) ] )\t4\r\n").examples
    for text in [
      "Source\tTarget\n( ( ( [MAX 4 ) 3 ) ] )\t4\n", "Source\tTarget\n( ( ( [MAX 4 ) 3 ) X )\t4",
      "Source\tTarget\r\n[MAX 4 3 ]\t4", "Source\tTarget\n  [MAX  4 3 X \t4\r\n",
    ] {
      #expect(try read(text).examples == expected)
    }
  }

  @Test("Long expressions are cut and counted")
  func cut() throws {
    let content = try read("Source\tTarget\n[MAX 4 3 ]\t4\n[MAX 1 3 2 ]\t3\n", length: 4)
    #expect(content.cut == 1)
    #expect(Array(content.examples[1]) == [12, 2, 4, 3])
    #expect(content.examples.length(0, tower: 0) == 4)
  }

  @Test("Fewer examples on demand, and of more than there are all")
  func counts() throws {
    let text = "Source\tTarget\n1\t1\n2\t2\n3\t3\n"
    #expect(try read(text, count: 2).examples.labels == [1, 2])
    #expect(try read(text).examples.labelCounts == [0, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    #expect(try read(text, count: 4).examples.labels == [1, 2, 3])
  }

  @Test(
    "Malformed lines are named",
    arguments: [
      ("[AVG 1 2 ]\t1", "unknown operator \"[AVG\""), ("[MAX 12 3 ]\t3", "unknown token \"12\""),
      ("[MAX4 3 ]\t4", "unknown operator \"[MAX4\""), ("-1\t1", "unknown token \"-1\""),
      ("[MAX 1 2\t2", "1 operators are not closed by ]"),
      ("[MAX 1 2 ] ]\t2", "something follows the end of the expression"),
      ("]\t2", "there is a ] without an operator"),
      ("[MAX [MIN ] 2 ]\t2", "the operator [MIN has no arguments"),
      ("[MAX 1 2 ]\t10", "the label \"10\" is not a digit 0 to 9"),
      ("[MAX 1 2 ]\t", "the label \"\" is not a digit 0 to 9"),
      ("[MAX 1 2 ]\tx", "the label \"x\" is not a digit 0 to 9"),
      ("[MAX 1 2 ]\t1", "the label is 1, but the expression's value is 2"),
      ("[MAX 1 2 ] 2", "there is no tab between expression and label"),
      ("", "there is no tab between expression and label"),
      ("\t2", "there is no expression before the tab"),
      ("[MAX \0 2 ]\t2", "there is a NUL byte, so this is not a text file"),
      ("( ( ( [MAX 4 ) 3 ) ] \t4", "1 round brackets are not closed"),
      ("( ( [MAX 4 ) 3 ) ] )\t4", "there is a ) without a ("),
      ("[MAX ( 4 ) 3 ]\t4", "there is a ( that no operator follows"),
      ("( [MAX ) 4 3 ]\t4", "there is a ) where no argument ends"),
    ])
  func malformed(line: String, problem: String) throws {
    for end in ["\n", "\r\n"] {
      let folder = try Scratch()
      let path = try folder.write("Source\tTarget\(end)1\t1\(end)\(line)\(end)", "f.tsv")
      let error = userError { _ = try ListOpsTSV.read(path, length: 2000, count: nil) }
      #expect(error?.kind == .badData)
      #expect(error?.problem == "\(path):3: \(problem)")
    }
  }

  @Test("Invalid UTF-8 is named")
  func invalidText() throws {
    let folder = try Scratch()
    let path = "\(folder.path)/f.tsv"
    let bytes = Array("Source\tTarget\n[MAX ".utf8) + [0xFF, 0xFE] + Array(" ]\t1\n".utf8)
    try writeAtomically(bytes, to: path)
    let error = userError { _ = try ListOpsTSV.read(path, length: 2000, count: nil) }
    #expect(error?.problem == "\(path):2: the text is not valid UTF-8")
  }

  @Test(
    "Files without content are named",
    arguments: [
      ("", ": the file is empty"), ("Source\tTarget\r\n", ": there are no lines after the header"),
      ("Source\tTarget", ": there are no lines after the header"),
      (
        "1\t1\n",
        ":1: the first line is not Source<TAB>Target: the header is missing, the table begins at once"
      ),
      (
        "\tSource\tTarget\n0\t1\t1\n",
        ":1: the first line is not Source<TAB>Target: there are 3 columns, \"\\tSource\\tTarget\""
      ),
      (
        "\u{FEFF}Source\tTarget\n1\t1\n",
        ":1: the first line is not Source<TAB>Target: the file begins with a byte order mark"
      ),
      (
        "S\0o\0u\0r\0c\0e\0\n",
        ":1: the first line is not Source<TAB>Target: "
          + "the file is UTF-16 without a byte order mark, or no text"
      ),
    ])
  func empty(text: String, problem: String) throws {
    let folder = try Scratch()
    let path = try folder.write(text, "f.tsv")
    let error = userError { _ = try ListOpsTSV.read(path, length: 2000, count: nil) }
    #expect(error?.problem == path + problem)
  }

  @Test("A line longer than 1 MiB is refused, one of 1 MiB is read")
  func longLine() throws {
    let size = LineReader.longestLine
    let fits = "[SM 1" + String(repeating: " ", count: size - 8) + "]\t1"
    #expect(fits.utf8.count == size)
    #expect(try read("Source\tTarget\n\(fits)\n2\t2\n").examples.labels == [1, 2])
    for end in ["", "\n2\t2\n"] {
      let error = userError { _ = try read("Source\tTarget\n \(fits)\(end)") }
      #expect(error?.problem.hasSuffix("f.tsv:2: the line is longer than 1 MiB") == true)
    }
    let endless = userError {
      _ = try read("Source\tTarget\n" + String(repeating: "1", count: 3 * size))
    }
    #expect(endless?.problem.hasSuffix("f.tsv:2: the line is longer than 1 MiB") == true)
  }

  @Test("Lines across block borders are read whole")
  func blocks() throws {
    let line = "( ( ( [MAX 4 ) 3 ) ] )\t4\r\n"
    let text = "Source\tTarget\r\n" + String(repeating: line, count: 100_000)
    let examples = try read(text).examples
    #expect(examples.count == 100_000)
    #expect(examples.tokens.count == 400_000)
    #expect(Array(examples[99_999]) == [12, 5, 4, 15])
  }
}
