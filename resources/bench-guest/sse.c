// Scalar SSE2.
#include "float-kernels.h"

const section sse_sections[] = {
  {"sse/nbody", 400000, 0, 0, nbody},
  {"sse/mandelbrot", 7000, 0, 0, mandelbrot},
  {"sse/matrix", 700, KIB(64), 0, matrix},
  {0, 0, 0, 0, 0},
};
