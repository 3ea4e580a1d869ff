// The same kernels on the x87 (-mfpmath=387): 80-bit intermediate results.
#include "float-kernels.h"

const section x87_sections[] = {
  {"x87/nbody", 65000, 0, 0, nbody},
  {"x87/mandelbrot", 1800, 0, 0, mandelbrot},
  {"x87/matrix", 100, KIB(64), 0, matrix},
  {0, 0, 0, 0, 0},
};
