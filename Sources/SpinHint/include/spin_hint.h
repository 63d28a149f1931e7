// The instruction by which a loop tells the processor that it waits. Swift has no name for it that every build accepts.
#pragma once

/// Nothing but a short pause, which leaves more of the core to its other thread; nothing at all where there is no such instruction.
static inline void spin_hint(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
    __asm__ volatile("yield");
#endif
}
