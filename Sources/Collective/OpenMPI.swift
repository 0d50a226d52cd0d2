// SPDX-License-Identifier: Apache-2.0

import Base
import CMPI
import Foundation

/// The ranks that `mpirun`, or Slurm's `srun --mpi=pmix`, started.
///
/// Only point-to-point messages are used: the order in which Open MPI's own reductions add depends on
/// the algorithm that it chooses. Calls come from one thread at a time.
package final class OpenMPI: Collective {
  /// MPI's rank.
  package let rank: Int
  /// MPI's size.
  package let size: Int

  /// Whether this process is one of several, or of one, that a launcher started.
  package static func isLaunched(
    _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> Bool {
    environment["OMPI_COMM_WORLD_SIZE"] != nil || environment["PMIX_RANK"] != nil
  }

  /// Joins the others.
  ///
  /// - Throws: `UserError(.unavailable)` where Open MPI is not installed.
  package init() throws {
    if let problem = lra_mpi_open() {
      throw UserError(
        .unavailable, "Open MPI cannot be used: \(String(cString: problem))",
        remedy: "install it on every host: apt-get install openmpi-bin")
    }
    guard lra_mpi_init() == 0 else {
      throw UserError(
        .unavailable, "Open MPI does not start", remedy: "see what it says above")
    }
    (rank, size) = (Int(lra_mpi_rank()), Int(lra_mpi_size()))
  }

  /// MPI_Send, in pieces of at most 1 GiB.
  package func send(_ bytes: UnsafeRawBufferPointer, to rank: Int) {
    forEachPiece(bytes.count) { piece in
      let piece = UnsafeRawBufferPointer(rebasing: bytes[piece])
      _ = lra_mpi_send(piece.baseAddress, Int32(piece.count), Int32(rank))
    }
  }

  /// MPI_Recv; a rank that waits for long sleeps in between, so that it leaves its core to others.
  package func receive(_ bytes: UnsafeMutableRawBufferPointer, from rank: Int) {
    forEachPiece(bytes.count) { piece in
      waitForMessage(from: rank)
      let piece = UnsafeMutableRawBufferPointer(rebasing: bytes[piece])
      _ = lra_mpi_receive(piece.baseAddress, Int32(piece.count), Int32(rank))
    }
  }

  private func forEachPiece(_ count: Int, _ body: (Range<Int>) -> Void) {
    for first in stride(from: 0, to: count, by: 1 << 30) {
      body(first..<min(count, first + 1 << 30))
    }
  }

  private func waitForMessage(from rank: Int) {
    var tries = 0
    while lra_mpi_is_ready(Int32(rank)) == 0 {
      tries += 1
      if tries > 1000 { usleep(50) }
    }
  }

  /// MPI_Abort.
  package func abort(status: Int32) -> Never {
    lra_mpi_abort(status)
    exit(status)
  }

  /// MPI_Finalize.
  package func finish() { lra_mpi_finalize() }
}
