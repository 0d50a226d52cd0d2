// SPDX-License-Identifier: Apache-2.0

// `sourceCommit`, the commit that the program was built from, is written by WriteCommit.
