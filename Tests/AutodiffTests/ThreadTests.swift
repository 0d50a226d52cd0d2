import Autodiff
import Base
import Foundation
import TestSupport
import Testing

/// What every case of the table computes, as one number a line.
private func digests() -> String {
  OpCases.all.map { op in
    let bytes = op.run().flatMap { $0 }.map { String($0, radix: 36) }.joined(separator: " ")
    return "\(op.name): \(fnv1a(bytes))"
  }.joined(separator: "\n")
}

extension EngineTests {
  /// Results must not depend on who computes them.
  ///
  /// The number of threads is fixed before the first operation of a process, so each number gets a
  /// process.
  @Suite("Threads")
  struct ThreadTests {
    @Test("Any number of threads gives the same bits")
    func threadCounts() async throws {
      let one = try await #require(
        processExitsWith: .success, observing: [\.standardOutputContent]
      ) {
        Workers.shared.limit(to: 1)
        print(digests())
      }
      let two = try await #require(
        processExitsWith: .success, observing: [\.standardOutputContent]
      ) {
        Workers.shared.limit(to: 2)
        print(digests())
      }
      let five = try await #require(
        processExitsWith: .success, observing: [\.standardOutputContent]
      ) {
        Workers.shared.limit(to: 5)
        print(digests())
      }
      let lines = [one, two, five].map {
        String(decoding: $0.standardOutputContent, as: UTF8.self).split(separator: "\n")
      }
      #expect(lines[0].count >= OpCases.all.count)
      for other in lines[1...] {
        #expect(other.count == lines[0].count)
        for (a, b) in zip(lines[0], other) { #expect(a == b) }
      }
    }

    /// 1e-20 · 1e-20 is below the normal numbers: a thread that keeps it where another makes it
    /// zero gives other bits.
    @Test("Every calling thread flushes denormal numbers, not only the first")
    func denormals() async {
      await #expect(processExitsWith: .success) {
        let product = { @Sendable in
          linear(Tensor(shape: [1, 1], [1e-20]), weight: Tensor(shape: [1, 1], [1e-20])).scalar
        }
        for _ in 0..<2 {
          let done = DispatchSemaphore(value: 0)
          Thread {
            #expect(product() == 0)
            done.signal()
          }.start()
          done.wait()
        }
      }
    }
  }
}
