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

  @Test("The commit is found in loose, packed and detached form, and from a linked work tree")
  func commit() throws {
    try withTemporaryFolder { root in
      let git = "\(root)/repo/.git"
      try RunFolderTests.makeFolder("\(git)/refs/heads")
      try RunFolderTests.makeFolder("\(git)/worktrees/w")
      try RunFolderTests.makeFolder("\(root)/repo/deep/folder")
      try RunFolderTests.makeFolder("\(root)/w")
      try write("ref: refs/heads/main\n", "\(git)/HEAD")
      try write("# pack-refs\n1111 refs/heads/other\n2222 refs/heads/main\n", "\(git)/packed-refs")
      #expect(gitCommit(from: "\(root)/repo/deep/folder") == "2222")
      try write("3333\n", "\(git)/refs/heads/main")
      #expect(gitCommit(from: "\(root)/repo") == "3333")
      try write("4444\n", "\(git)/HEAD")
      #expect(gitCommit(from: "\(root)/repo") == "4444")
      try write("gitdir: \(git)/worktrees/w\n", "\(root)/w/.git")
      try write("../..\n", "\(git)/worktrees/w/commondir")
      try write("ref: refs/heads/other\n", "\(git)/worktrees/w/HEAD")
      #expect(gitCommit(from: "\(root)/w") == "1111")
    }
  }

  @Test("The memory peak is that of the whole process, in bytes")
  func memory() {
    let before = peakResidentBytes()
    #expect(before > 1 << 20)
    let size = 1 << 26
    let block = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 4096)
    memset(block, 1, size)
    block.deallocate()
    #expect(peakResidentBytes() >= size)
    if resetPeakResidentBytes() { #expect(peakResidentBytes() < before + 2 * size) }
  }

  private func write(_ text: String, _ path: String) throws {
    try text.write(toFile: path, atomically: false, encoding: .utf8)
  }
}
