// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "swift-attention",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Attention", targets: ["Attention"]),
        .library(name: "TensorFiles", targets: ["TensorFiles"]),
        .library(name: "Transformers", targets: ["Transformers"]),
        .library(name: "OpenCLRuntime", targets: ["OpenCLRuntime"]),
        .executable(name: "attend", targets: ["attend"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.4.0"),
    ],
    targets: [
        // The OpenCL C text, embedded by the one C file in Kernels/embed.
        .target(
            name: "KernelSources", path: "Kernels",
            exclude: ["attention", "bench", "common", "layers"], sources: ["embed"],
            publicHeadersPath: "embed/include"),
        // The wide kernels as C, once for each instruction set. Function attributes choose the instructions, as flags would keep
        // others from depending on this package.
        .target(name: "HostKernels", cSettings: [.headerSearchPath("../../Kernels/common")]),
        // Types and constants of the OpenCL headers. Nothing is linked: OpenCLRuntime opens the loader at run time.
        .systemLibrary(
            name: "COpenCL", pkgConfig: "OpenCL-Headers",
            providers: [.apt(["opencl-headers", "ocl-icd-opencl-dev"])]),
        .target(name: "Locking"),
        // Threads that share the items of a job: what the native path runs on.
        .target(name: "Workers", dependencies: ["Locking", "SpinHint"]),
        .target(name: "SpinHint"),
        .target(name: "OpenCLRuntime", dependencies: ["COpenCL", "Locking"]),
        .target(name: "AttentionCore"),
        .target(name: "AttentionReference", dependencies: ["AttentionCore"]),
        // How a call is put to the kernels, whoever runs them: what they are told, tiles, pieces.
        .target(name: "KernelCalls", dependencies: ["AttentionCore"]),
        .target(
            name: "AttentionOpenCL",
            dependencies: ["AttentionCore", "OpenCLRuntime", "KernelSources", "KernelCalls", "Locking"]),
        .target(
            name: "AttentionNative",
            dependencies: ["AttentionCore", "HostKernels", "KernelCalls", "Locking", "Workers"]),
        .target(name: "TensorFiles"),
        .target(
            name: "Attention",
            dependencies: [
                "AttentionCore", "AttentionReference", "AttentionNative", "AttentionOpenCL", "Locking",
                .product(name: "Logging", package: "swift-log"),
            ]),
        .target(name: "Transformers", dependencies: ["Attention", "AttentionCore", "Locking", "TensorFiles"]),
        // What the processor does at best, for `attend bench`: C, as the widest instructions need attributes.
        .target(name: "BenchmarkLoops"),
        .executableTarget(
            name: "attend",
            dependencies: [
                "Attention", "TensorFiles", "Transformers", "BenchmarkLoops",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .target(name: "TestSupport", dependencies: ["AttentionCore"], path: "Tests/TestSupport"),
        .testTarget(name: "WorkersTests", dependencies: ["TestSupport", "Workers"]),
        .testTarget(name: "OpenCLRuntimeTests", dependencies: ["OpenCLRuntime", "Locking", "TestSupport"]),
        .testTarget(name: "AttentionCoreTests", dependencies: ["AttentionCore", "TestSupport"]),
        .testTarget(
            name: "AttentionReferenceTests", dependencies: ["AttentionReference", "TensorFiles", "TestSupport"]),
        .testTarget(name: "KernelCallsTests", dependencies: ["AttentionCore", "KernelCalls"]),
        .testTarget(
            name: "AttentionOpenCLTests",
            dependencies: [
                "Attention", "AttentionOpenCL", "AttentionReference", "KernelCalls", "Locking", "OpenCLRuntime",
                "TestSupport",
            ]),
        .testTarget(
            name: "AttentionNativeTests",
            dependencies: [
                "Attention", "AttentionNative", "AttentionReference", "HostKernels", "KernelCalls", "Workers",
            ]),
        .testTarget(name: "TensorFilesTests", dependencies: ["TensorFiles", "TestSupport"]),
        .testTarget(
            name: "AttentionTests",
            dependencies: [
                "Attention", "AttentionCore", "AttentionOpenCL", "AttentionReference", "Locking", "OpenCLRuntime",
                "TestSupport",
            ]),
        .testTarget(
            name: "TransformersTests",
            dependencies: [
                "Attention", "AttentionCore", "AttentionOpenCL", "OpenCLRuntime", "TensorFiles", "TestSupport",
                "Transformers",
            ]),
        .testTarget(name: "attendTests", dependencies: ["TestSupport", "TensorFiles"]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c2x
)
