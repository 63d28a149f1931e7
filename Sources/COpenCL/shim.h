// Types and constants of OpenCL for Swift. No function of it is called through this header:
// OpenCLRuntime looks each one up in the loader it opens, so that a machine without one still starts.
#pragma once
#define CL_TARGET_OPENCL_VERSION 300
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#ifdef __APPLE__
#include <OpenCL/opencl.h>
#else
#include <CL/cl.h>
#include <CL/cl_ext.h>
#endif
