// The functions are inline and live in the header; SwiftPM wants one source file.
#include "shims.h"
