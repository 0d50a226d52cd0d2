// `sourceCommit`, the commit that the program was built from, is written by WriteCommit.
