// entry — how a kernel's text becomes a function that runs work-items one after the other.
//   `name` is what the function has in the tables of HostKernels.c; RUN_ITEM calls the kernel for the item that is set up.
#define DEFINE_ENTRY(name, RUN_ITEM) DEFINE_ENTRY_OF(name, host_call, problem, call->room, RUN_ITEM)
// For a call of type CALL that tells a kernel `TOLD`.
#define DEFINE_ENTRY_OF(name, CALL, TOLD, room_here, RUN_ITEM)                                                        \
    void name(const void *context, intptr_t first, intptr_t last, void *memory) {                                     \
        const CALL *const call = context;                                                                             \
        const TOLD p = *(const TOLD *)call->problem;                                                                  \
        item_here.room = room_here;                                                                                   \
        item_here.size[0] = (size_t)call->width;                                                                      \
        item_here.size[1] = (size_t)call->height;                                                                     \
        for (intptr_t item = first; item < last; ++item) {                                                            \
            item_here.id[0] = (size_t)(item % call->width);                                                           \
            item_here.id[1] = (size_t)(item / call->width % call->height);                                            \
            item_here.id[2] = (size_t)(item / call->width / call->height);                                            \
            item_here.next = memory;                                                                                  \
            RUN_ITEM;                                                                                                 \
        }                                                                                                             \
    }
