// A loader that hands every call on to the real one, counts calls and living objects, and makes one chosen call fail.
//
//   FAULT=clEnqueueNDRangeKernel:2:-5        the second call returns -5, and the real one is not made
//   FAULT=clEnqueueNDRangeKernel:0:-5:late   every call is made, and returns -5 all the same
//   FAULT=event:1:-5                         the first event that is handed out ends in -5
//   FAULT_LOADER=/path/libOpenCL.so.1        the real loader
//
// fault_arm and the functions beside it do the same at run time: the tests find them by dlsym. It needs no OpenCL headers: handles
// are pointers, and constants stand with their names.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef void *handle;
typedef int32_t cl_int;
typedef uint32_t cl_uint;
typedef uint64_t cl_bits;

#define FUNCTIONS(X)                                                                                                       \
    X(clGetPlatformIDs) X(clGetPlatformInfo) X(clGetDeviceIDs) X(clGetDeviceInfo) X(clCreateSubDevices)                    \
    X(clReleaseDevice) X(clCreateContext) X(clRetainContext) X(clReleaseContext) X(clGetContextInfo)                       \
    X(clCreateCommandQueue) X(clCreateCommandQueueWithProperties)                                                          \
    X(clRetainCommandQueue) X(clReleaseCommandQueue) X(clGetCommandQueueInfo) X(clFlush) X(clFinish) X(clCreateBuffer)     \
    X(clCreateSubBuffer) X(clRetainMemObject) X(clReleaseMemObject) X(clGetMemObjectInfo)                                  \
    X(clSetMemObjectDestructorCallback) X(clEnqueueReadBuffer) X(clEnqueueWriteBuffer) X(clEnqueueFillBuffer)              \
    X(clEnqueueCopyBuffer) X(clEnqueueCopyBufferRect) X(clEnqueueMapBuffer) X(clEnqueueUnmapMemObject)                     \
    X(clCreateProgramWithSource) X(clCreateProgramWithBinary) X(clReleaseProgram) X(clBuildProgram) X(clGetProgramInfo)    \
    X(clGetProgramBuildInfo) X(clCreateKernel) X(clReleaseKernel) X(clSetKernelArg) X(clGetKernelInfo)                     \
    X(clGetKernelWorkGroupInfo) X(clEnqueueNDRangeKernel) X(clEnqueueMarkerWithWaitList) X(clWaitForEvents)                \
    X(clGetEventInfo) X(clGetEventProfilingInfo) X(clReleaseEvent)

enum {
#define X(name) I_##name,
    FUNCTIONS(X)
#undef X
    FUNCTION_COUNT,
    // Not a function: the events that are handed out.
    I_event = FUNCTION_COUNT,
    ENTRY_COUNT,
};

static const char *const names[] = {
#define X(name) #name,
    FUNCTIONS(X)
#undef X
    "event",
};

enum kind { CONTEXTS, QUEUES, BUFFERS, PROGRAMS, KERNELS, EVENTS, DEVICES, KIND_COUNT };

static void *real[FUNCTION_COUNT];
static atomic_long calls[ENTRY_COUNT];
static atomic_long live[KIND_COUNT];

static atomic_int armed = -1;
static atomic_long armed_calls, hits;
static long armed_nth;
static cl_int armed_status;
static int armed_late;
static _Atomic(handle) failed_event;

// MARK: - What the tests call

int fault_function_count(void) { return FUNCTION_COUNT; }
const char *fault_function_name(int index) { return names[index]; }
long fault_calls(int index) { return calls[index]; }
long fault_live(int kind) { return live[kind]; }
long fault_hits(void) { return hits; }

void fault_reset_calls(void) {
    for (int index = 0; index < ENTRY_COUNT; index++) calls[index] = 0;
}

/// Makes the nth call from now on fail, or every one where nth is 0; a null name ends that. Not while another thread calls.
int fault_arm(const char *name, long nth, cl_int status, int late) {
    armed = -1;
    failed_event = NULL;
    armed_calls = 0;
    hits = 0;
    if (!name) return 0;
    for (int index = 0; index < ENTRY_COUNT; index++) {
        if (strcmp(names[index], name) != 0) continue;
        armed_nth = nth;
        armed_status = status;
        armed_late = late;
        armed = index;
        return 0;
    }
    return -1;
}

__attribute__((constructor)) static void start(void) {
    const char *path = getenv("FAULT_LOADER");
    void *library = dlopen(path && *path ? path : "libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL);
    for (int index = 0; library && index < FUNCTION_COUNT; index++) real[index] = dlsym(library, names[index]);
    const char *text = getenv("FAULT");
    if (!text) return;
    char name[64] = "";
    const char *colon = strchr(text, ':');
    if (!colon || (size_t)(colon - text) >= sizeof name) return;
    memcpy(name, text, (size_t)(colon - text));
    char *rest;
    long nth = strtol(colon + 1, &rest, 10);
    long status = *rest == ':' ? strtol(rest + 1, &rest, 10) : -5;
    fault_arm(name, nth, (cl_int)status, strcmp(rest, ":late") == 0);
}

// MARK: - Counting and failing

static int hit(int index) {
    calls[index]++;
    if (armed != index) return 0;
    long call = ++armed_calls;
    if (armed_nth != 0 && call != armed_nth) return 0;
    hits++;
    return 1;
}

#define SUCCESS 0
#define INVALID_OPERATION (-59)
#define WAIT_LIST_ERROR (-14)
#define NO_PROFILING_INFO (-7)
#define EVENT_EXECUTION_STATUS 0x11D3

/// Calls the real function, whose type is that of the one this stands in.
#define REAL(name) ((__typeof__(&name))real[I_##name])

/// A function that returns a status. `done` is what to count where the real call succeeded, `undo` takes back what a late failure
/// must not leave behind.
#define STATUS_FUNCTION(name, parameters, arguments, done, undo)                                                           \
    cl_int name parameters {                                                                                               \
        int fails = hit(I_##name);                                                                                         \
        if (fails && !armed_late) return armed_status;                                                                     \
        if (!real[I_##name]) return INVALID_OPERATION;                                                                     \
        cl_int status = REAL(name) arguments;                                                                              \
        if (status == SUCCESS) { done; }                                                                                   \
        if (fails && status == SUCCESS) { undo; }                                                                          \
        return fails ? armed_status : status;                                                                              \
    }

/// A function that returns an object and gives its status through `error`.
#define OBJECT_FUNCTION(name, kind, parameters, arguments, undo)                                                           \
    handle name parameters {                                                                                               \
        int fails = hit(I_##name);                                                                                         \
        handle made = NULL;                                                                                                \
        cl_int status = armed_status;                                                                                      \
        if (!(fails && !armed_late)) {                                                                                     \
            status = INVALID_OPERATION;                                                                                    \
            if (real[I_##name]) made = REAL(name) arguments;                                                               \
        }                                                                                                                  \
        if (fails && made) {                                                                                               \
            undo;                                                                                                          \
            made = NULL;                                                                                                   \
        }                                                                                                                  \
        if (fails) status = armed_status;                                                                                  \
        if (made && (kind) < KIND_COUNT) live[kind]++;                                                                     \
        if (error) *error = status;                                                                                        \
        return made;                                                                                                       \
    }

static void give_event(handle *event) {
    if (!event || !*event) return;
    live[EVENTS]++;
    if (hit(I_event)) failed_event = *event;
}

static void take_event_back(handle *event);

#define NOTHING (void)0
#define INFO(name)                                                                                                         \
    STATUS_FUNCTION(                                                                                                       \
        name, (handle object, cl_uint what, size_t room, void *value, size_t *size), (object, what, room, value, size),    \
        NOTHING, NOTHING)
#define DEVICE_INFO(name)                                                                                                  \
    STATUS_FUNCTION(                                                                                                       \
        name, (handle object, handle device, cl_uint what, size_t room, void *value, size_t *size),                        \
        (object, device, what, room, value, size), NOTHING, NOTHING)
#define RETAIN(name, kind, release)                                                                                        \
    STATUS_FUNCTION(name, (handle object), (object), live[kind]++, (REAL(release)(object), live[kind]--))
#define RELEASE(name, kind) STATUS_FUNCTION(name, (handle object), (object), live[kind]--, NOTHING)
#define ENQUEUE(name, parameters, arguments)                                                                               \
    STATUS_FUNCTION(name, parameters, arguments, give_event(event), take_event_back(event))
#define WAITING cl_uint count, const handle *list, handle *event

// MARK: - The functions

STATUS_FUNCTION(
    clGetPlatformIDs, (cl_uint room, handle *platforms, cl_uint *count), (room, platforms, count), NOTHING, NOTHING)
INFO(clGetPlatformInfo)
STATUS_FUNCTION(
    clGetDeviceIDs, (handle platform, cl_bits type, cl_uint room, handle *devices, cl_uint *count),
    (platform, type, room, devices, count), NOTHING, NOTHING)
INFO(clGetDeviceInfo)

// Devices that are not parts of another are never released.
RELEASE(clReleaseDevice, DEVICES)
static void release_devices(cl_uint room, handle *devices) {
    for (cl_uint index = 0; devices && index < room; index++) {
        if (devices[index]) REAL(clReleaseDevice)(devices[index]);
    }
}
STATUS_FUNCTION(
    clCreateSubDevices, (handle device, const intptr_t *properties, cl_uint room, handle *devices, cl_uint *count),
    (device, properties, room, devices, count), if (devices) live[DEVICES] += room,
    (release_devices(room, devices), live[DEVICES] -= devices ? room : 0))

RELEASE(clReleaseContext, CONTEXTS)
RETAIN(clRetainContext, CONTEXTS, clReleaseContext)
INFO(clGetContextInfo)
OBJECT_FUNCTION(
    clCreateContext, CONTEXTS,
    (const intptr_t *properties, cl_uint count, const handle *devices, void *notify, void *data, cl_int *error),
    (properties, count, devices, notify, data, &status), REAL(clReleaseContext)(made))

RELEASE(clReleaseCommandQueue, QUEUES)
RETAIN(clRetainCommandQueue, QUEUES, clReleaseCommandQueue)
INFO(clGetCommandQueueInfo)
OBJECT_FUNCTION(
    clCreateCommandQueue, QUEUES, (handle context, handle device, cl_bits properties, cl_int *error),
    (context, device, properties, &status), REAL(clReleaseCommandQueue)(made))
OBJECT_FUNCTION(
    clCreateCommandQueueWithProperties, QUEUES,
    (handle context, handle device, const cl_bits *properties, cl_int *error), (context, device, properties, &status),
    REAL(clReleaseCommandQueue)(made))
STATUS_FUNCTION(clFlush, (handle queue), (queue), NOTHING, NOTHING)
STATUS_FUNCTION(clFinish, (handle queue), (queue), NOTHING, NOTHING)

RELEASE(clReleaseMemObject, BUFFERS)
RETAIN(clRetainMemObject, BUFFERS, clReleaseMemObject)
INFO(clGetMemObjectInfo)
OBJECT_FUNCTION(
    clCreateBuffer, BUFFERS, (handle context, cl_bits flags, size_t size, void *host, cl_int *error),
    (context, flags, size, host, &status), REAL(clReleaseMemObject)(made))
OBJECT_FUNCTION(
    clCreateSubBuffer, BUFFERS, (handle buffer, cl_bits flags, cl_uint type, const void *region, cl_int *error),
    (buffer, flags, type, region, &status), REAL(clReleaseMemObject)(made))

// Never late: a callback that the driver took and will call cannot be taken back.
cl_int clSetMemObjectDestructorCallback(handle buffer, void (*callback)(handle, void *), void *data) {
    if (hit(I_clSetMemObjectDestructorCallback)) return armed_status;
    if (!real[I_clSetMemObjectDestructorCallback]) return INVALID_OPERATION;
    return REAL(clSetMemObjectDestructorCallback)(buffer, callback, data);
}

ENQUEUE(
    clEnqueueReadBuffer,
    (handle queue, handle buffer, cl_uint blocks, size_t offset, size_t size, void *bytes, WAITING),
    (queue, buffer, blocks, offset, size, bytes, count, list, event))
ENQUEUE(
    clEnqueueWriteBuffer,
    (handle queue, handle buffer, cl_uint blocks, size_t offset, size_t size, const void *bytes, WAITING),
    (queue, buffer, blocks, offset, size, bytes, count, list, event))
ENQUEUE(
    clEnqueueFillBuffer,
    (handle queue, handle buffer, const void *pattern, size_t pattern_size, size_t offset, size_t size, WAITING),
    (queue, buffer, pattern, pattern_size, offset, size, count, list, event))
ENQUEUE(
    clEnqueueCopyBuffer, (handle queue, handle source, handle target, size_t from, size_t to, size_t size, WAITING),
    (queue, source, target, from, to, size, count, list, event))
ENQUEUE(
    clEnqueueCopyBufferRect,
    (handle queue, handle source, handle target, const size_t *from, const size_t *to, const size_t *region,
     size_t source_row, size_t source_slice, size_t target_row, size_t target_slice, WAITING),
    (queue, source, target, from, to, region, source_row, source_slice, target_row, target_slice, count, list, event))
ENQUEUE(
    clEnqueueUnmapMemObject, (handle queue, handle buffer, void *pointer, WAITING),
    (queue, buffer, pointer, count, list, event))
OBJECT_FUNCTION(
    clEnqueueMapBuffer, KIND_COUNT,
    (handle queue, handle buffer, cl_uint blocks, cl_bits flags, size_t offset, size_t size, cl_uint count,
     const handle *list, handle *event, cl_int *error),
    (queue, buffer, blocks, flags, offset, size, count, list, event, &status),
    REAL(clEnqueueUnmapMemObject)(queue, buffer, made, 0, NULL, NULL))

RELEASE(clReleaseProgram, PROGRAMS)
OBJECT_FUNCTION(
    clCreateProgramWithSource, PROGRAMS,
    (handle context, cl_uint count, const char **strings, const size_t *lengths, cl_int *error),
    (context, count, strings, lengths, &status), REAL(clReleaseProgram)(made))
OBJECT_FUNCTION(
    clCreateProgramWithBinary, PROGRAMS,
    (handle context, cl_uint count, const handle *devices, const size_t *lengths, const unsigned char **binaries,
     cl_int *statuses, cl_int *error),
    (context, count, devices, lengths, binaries, statuses, &status), REAL(clReleaseProgram)(made))
STATUS_FUNCTION(
    clBuildProgram,
    (handle program, cl_uint count, const handle *devices, const char *options, void *notify, void *data),
    (program, count, devices, options, notify, data), NOTHING, NOTHING)
INFO(clGetProgramInfo)
DEVICE_INFO(clGetProgramBuildInfo)

RELEASE(clReleaseKernel, KERNELS)
OBJECT_FUNCTION(
    clCreateKernel, KERNELS, (handle program, const char *name, cl_int *error), (program, name, &status),
    REAL(clReleaseKernel)(made))
STATUS_FUNCTION(
    clSetKernelArg, (handle kernel, cl_uint index, size_t size, const void *value), (kernel, index, size, value), NOTHING,
    NOTHING)
INFO(clGetKernelInfo)
DEVICE_INFO(clGetKernelWorkGroupInfo)
ENQUEUE(
    clEnqueueNDRangeKernel,
    (handle queue, handle kernel, cl_uint dimensions, const size_t *offset, const size_t *global, const size_t *local,
     WAITING),
    (queue, kernel, dimensions, offset, global, local, count, list, event))

ENQUEUE(clEnqueueMarkerWithWaitList, (handle queue, WAITING), (queue, count, list, event))
STATUS_FUNCTION(
    clReleaseEvent, (handle event), (event),
    {
        live[EVENTS]--;
        // The next event can have the same address.
        if (failed_event == event) failed_event = NULL;
    },
    NOTHING)

cl_int clWaitForEvents(cl_uint count, const handle *list) {
    int fails = hit(I_clWaitForEvents);
    if (fails && !armed_late) return armed_status;
    if (!real[I_clWaitForEvents]) return INVALID_OPERATION;
    cl_int status = REAL(clWaitForEvents)(count, list);
    for (cl_uint index = 0; index < count; index++) {
        if (failed_event && list[index] == failed_event) status = WAIT_LIST_ERROR;
    }
    return fails ? armed_status : status;
}

cl_int clGetEventInfo(handle event, cl_uint what, size_t room, void *value, size_t *size) {
    int fails = hit(I_clGetEventInfo);
    if (fails && !armed_late) return armed_status;
    if (!real[I_clGetEventInfo]) return INVALID_OPERATION;
    cl_int status = REAL(clGetEventInfo)(event, what, room, value, size);
    int is_failed = failed_event && event == failed_event && what == EVENT_EXECUTION_STATUS;
    // As soon as it is done: 0 is CL_COMPLETE.
    if (is_failed && status == SUCCESS && value && *(cl_int *)value == 0) *(cl_int *)value = armed_status;
    return fails ? armed_status : status;
}

cl_int clGetEventProfilingInfo(handle event, cl_uint what, size_t room, void *value, size_t *size) {
    int fails = hit(I_clGetEventProfilingInfo);
    if (fails && !armed_late) return armed_status;
    if (failed_event && event == failed_event) return NO_PROFILING_INFO;
    if (!real[I_clGetEventProfilingInfo]) return INVALID_OPERATION;
    cl_int status = REAL(clGetEventProfilingInfo)(event, what, room, value, size);
    return fails ? armed_status : status;
}

static void take_event_back(handle *event) {
    if (!event || !*event) return;
    if (failed_event == *event) failed_event = NULL;
    REAL(clReleaseEvent)(*event);
    live[EVENTS]--;
    *event = NULL;
}
