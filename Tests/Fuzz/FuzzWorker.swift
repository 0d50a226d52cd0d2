// SPDX-License-Identifier: Apache-2.0

import Base
import Foundation

/// Feeds one reader, in a process that may die of it.
struct FuzzWorker {
  let reader: Reader
  let room: Room

  /// No input may need more memory than this and what was there before, in bytes.
  private static let mostMemory: rlim_t = 4 << 30

  /// Reads the inputs of a range, noting before each where it stands.
  func run(seed: UInt64, from: Int, to end: Int) throws {
    var limit = rlimit(rlim_cur: Self.mostMemory, rlim_max: Self.mostMemory)
    setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
    let mutator = try Mutator(seeds: reader.seeds(room), seed: seed ^ fnv1a(reader.name))
    let progress = try FuzzProgress(room.progress)
    for number in from..<end {
      progress.number = number
      let input = mutator.input(number)
      do {
        try reader.read(room, input)
        progress.accepted += 1
      } catch let error as UserError where !error.problem.isEmpty {
        progress.refused += 1
      } catch {
        printResult("FOREIGN \(number) \(error)")
      }
    }
    progress.number = end
  }
}

/// Where a worker stands, in memory that it shares with its supervisor through a file.
final class FuzzProgress {
  private let words: UnsafeMutablePointer<Int>

  /// Maps a file, which is made when absent.
  init(_ path: String) throws {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    defer { close(descriptor) }
    guard descriptor >= 0, ftruncate(descriptor, 4096) == 0,
      let memory = mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
      memory != MAP_FAILED
    else { throw UserError.system(.cannotWrite, "cannot map \(path)") }
    words = memory.bindMemory(to: Int.self, capacity: 3)
  }

  deinit { munmap(words, 4096) }

  /// The input that is read.
  var number: Int {
    get { words[0] }
    set { words[0] = newValue }
  }
  /// Inputs that were read without an error.
  var accepted: Int {
    get { words[1] }
    set { words[1] = newValue }
  }
  /// Inputs that were refused as they should be.
  var refused: Int {
    get { words[2] }
    set { words[2] = newValue }
  }
}
