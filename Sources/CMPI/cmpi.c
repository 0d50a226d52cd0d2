// SPDX-License-Identifier: Apache-2.0

#include "cmpi.h"

#include <dlfcn.h>

typedef void *handle;

enum { serialized = 2, tag = 0x17A };

static struct {
  int (*init_thread)(int *, char ***, int, int *);
  int (*comm_rank)(handle, int *);
  int (*comm_size)(handle, int *);
  int (*send)(const void *, int, handle, int, int, handle);
  int (*recv)(void *, int, handle, int, int, handle, void *);
  int (*iprobe)(int, int, handle, int *, void *);
  int (*abort)(handle, int);
  int (*finalize)(void);
  handle world;
  handle byte;
} mpi;

const char *lra_mpi_open(void) {
  // Its own parts look for its symbols among those of the whole process.
  handle library = dlopen("libmpi.so.40", RTLD_NOW | RTLD_GLOBAL);
  if (!library) return dlerror();
  const struct { const char *name; void *place; } symbols[] = {
    {"MPI_Init_thread", &mpi.init_thread}, {"MPI_Comm_rank", &mpi.comm_rank},
    {"MPI_Comm_size", &mpi.comm_size},     {"MPI_Send", &mpi.send},
    {"MPI_Recv", &mpi.recv},               {"MPI_Iprobe", &mpi.iprobe},
    {"MPI_Abort", &mpi.abort},             {"MPI_Finalize", &mpi.finalize},
    {"ompi_mpi_comm_world", &mpi.world},   {"ompi_mpi_byte", &mpi.byte},
  };
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
    handle symbol = dlsym(library, symbols[i].name);
    if (!symbol) return dlerror();
    *(handle *)symbols[i].place = symbol;
  }
  return NULL;
}

int lra_mpi_init(void) {
  int provided = 0;
  if (mpi.init_thread(NULL, NULL, serialized, &provided)) return 1;
  return provided < serialized;
}

int lra_mpi_rank(void) {
  int rank = 0;
  mpi.comm_rank(mpi.world, &rank);
  return rank;
}

int lra_mpi_size(void) {
  int size = 1;
  mpi.comm_size(mpi.world, &size);
  return size;
}

int lra_mpi_send(const void *bytes, int count, int to) {
  return mpi.send(bytes, count, mpi.byte, to, tag, mpi.world);
}

int lra_mpi_receive(void *bytes, int count, int from) {
  return mpi.recv(bytes, count, mpi.byte, from, tag, mpi.world, NULL);
}

int lra_mpi_is_ready(int from) {
  int flag = 0;
  mpi.iprobe(from, tag, mpi.world, &flag, NULL);
  return flag;
}

void lra_mpi_abort(int status) { mpi.abort(mpi.world, status); }

void lra_mpi_finalize(void) { mpi.finalize(); }
