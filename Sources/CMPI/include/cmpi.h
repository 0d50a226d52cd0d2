// SPDX-License-Identifier: Apache-2.0

// Open MPI, opened when a program runs, so that nothing is needed to build: its header defines its
// handles as macros over symbols of the library, which Swift cannot import and `dlsym` finds.
#ifndef LRA_CMPI_H
#define LRA_CMPI_H

#include <stddef.h>

/// Opens the library.
///
/// Returns NULL, or what is missing: text that stays valid.
const char *lra_mpi_open(void);

/// MPI_Init_thread, for calls from one thread at a time; 0 where it worked.
int lra_mpi_init(void);
/// MPI_Comm_rank of all processes.
int lra_mpi_rank(void);
/// MPI_Comm_size of all processes.
int lra_mpi_size(void);
/// MPI_Send of bytes.
int lra_mpi_send(const void *bytes, int count, int to);
/// MPI_Recv of exactly so many bytes.
int lra_mpi_receive(void *bytes, int count, int from);
/// Whether a message of a process is there to be received.
int lra_mpi_is_ready(int from);
/// MPI_Abort: ends all processes with this status.
void lra_mpi_abort(int status);
/// MPI_Finalize, when all others do so too.
void lra_mpi_finalize(void);

#endif
