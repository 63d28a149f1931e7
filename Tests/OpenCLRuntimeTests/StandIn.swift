import Foundation
import OpenCLRuntime

/// A loader of our own making, compiled by the tests, for answers no healthy driver gives.
enum StandIn {
    static let compiler: String? = ["/usr/bin/cc", "/usr/bin/gcc", "/usr/bin/clang"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    enum Machine: String, CaseIterable {
        case noPlatforms = "NO_PLATFORMS"
        case zeroPlatforms = "ZERO_PLATFORMS"
        case oddStatus = "ODD_STATUS"
        case noDevices = "NO_DEVICES"
        case noMemory = "NO_MEMORY"
        case noCompiler = "NO_COMPILER"
        case notAvailable = "NOT_AVAILABLE"
        case silent = "SILENT"
        case healthy = "HEALTHY"
    }

    /// Builds the stand-in and opens it; the folder has to live as long as the library is to be opened.
    static func open(_ machine: Machine, in folder: TemporaryFolder) throws -> OpenCLLibrary {
        let source = folder.file("standin.c")
        let library = folder.file("\(machine.rawValue).so")
        try text.write(toFile: source, atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: compiler ?? "cc")
        process.arguments = ["-shared", "-fPIC", "-D\(machine.rawValue)", "-o", library, source]
        try process.run()
        process.waitUntilExit()
        return try OpenCLLibrary.open(path: library)
    }

    private static let text = """
        #include <stddef.h>
        #include <string.h>
        typedef unsigned int u32; typedef unsigned long long u64;
        static int platform, device;

        int clGetPlatformIDs(u32 n, void **ids, u32 *count) {
        #if defined(NO_PLATFORMS)
            return -1001;
        #elif defined(ODD_STATUS)
            return -9999;
        #elif defined(ZERO_PLATFORMS)
            if (count) *count = 0;
            return 0;
        #else
            if (count) *count = 1;
            if (ids && n) ids[0] = &platform;
            return 0;
        #endif
        }

        static int give(const void *value, size_t size, size_t room, void *out, size_t *needed) {
            if (needed) *needed = size;
            if (out && room < size) return -30;
            if (out) memcpy(out, value, size);
            return 0;
        }
        #define TEXT(s) return give(s, sizeof(s), room, out, needed)
        #define VALUE(type, v) do { type x = v; return give(&x, sizeof x, room, out, needed); } while (0)

        int clGetPlatformInfo(void *p, u32 what, size_t room, void *out, size_t *needed) { TEXT("stand-in"); }

        int clGetDeviceIDs(void *p, u64 type, u32 n, void **ids, u32 *count) {
        #ifdef NO_DEVICES
            return -1;
        #else
            if (count) *count = 1;
            if (ids && n) ids[0] = &device;
            return 0;
        #endif
        }

        int clGetDeviceInfo(void *d, u32 what, size_t room, void *out, size_t *needed) {
        #ifdef SILENT
            return -30;
        #endif
            switch (what) {
            case 0x102B: TEXT("device  ");
            case 0x102F: TEXT("OpenCL 1.2 old driver");
            case 0x1000: VALUE(u64, 4);
            case 0x1004: VALUE(size_t, 256);
            case 0x1005: { size_t sides[3] = {256, 256, 64}; return give(sides, sizeof sides, room, out, needed); }
        #ifdef NO_MEMORY
            case 0x101F: case 0x1010: VALUE(u64, 0);
        #else
            case 0x101F: case 0x1010: VALUE(u64, 1 << 30);
        #endif
        #ifdef NO_COMPILER
            case 0x1028: VALUE(u32, 0);
        #else
            case 0x1028: VALUE(u32, 1);
        #endif
        #ifdef NOT_AVAILABLE
            case 0x1027: VALUE(u32, 0);
        #else
            case 0x1027: VALUE(u32, 1);
        #endif
            default: return -30;
            }
        }
        """
}
