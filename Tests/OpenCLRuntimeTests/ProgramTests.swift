import OpenCLRuntime
import Testing

@Suite struct BuildOptionsTests {
    @Test func flags() throws {
        let options = try BuildOptions(definitions: [("D", 64), ("T", .identifier("half")), ("N", -5)])
        #expect(options.flags == "-cl-std=CL1.2 -DD=64 -DT=half -DN=-5")
        #expect(try BuildOptions(standard: .openCLC30).flags == "-cl-std=CL3.0")
        #expect(try BuildOptions() == .standard)
    }

    @Test(arguments: [
        "", "3D", "X=1;a[0]", "X Y", "X -cl-fast-relaxed-math", "é", "X\n", "-I/etc", "X\"", "X(a)", "X\0",
    ])
    func injection(_ text: String) {
        refusal("build options") { _ = try BuildOptions(definitions: [(text, 1)]) }
        refusal("build options") { _ = try BuildOptions(definitions: [("X", .identifier(text))]) }
    }

    @Test func aNameTwice() {
        refusal("twice") { _ = try BuildOptions(definitions: [("X", 1), ("X", 2)]) }
    }
}

@Suite struct ProgramSourceTests {
    @Test func headersAreSplicedOnceAndInOrder() throws {
        let source = try ProgramSource(
            name: "k.cl", source: "a\n#include \"one.clh\"\n  #  include \"two.clh\" // again\nb",
            headers: ["one.clh": "1\n#include \"two.clh\"", "two.clh": "2"], lineMarkers: false)
        #expect(source.text == "a\n1\n2\n\nb\n")
    }

    @Test func linesAreCountedFileByFile() throws {
        let source = try ProgramSource(
            name: "k.cl", source: "a\n#include \"h.clh\"\nb", headers: ["h.clh": "1\n2"])
        #expect(source.text == "#line 1 \"k.cl\"\na\n#line 1 \"h.clh\"\n1\n2\n#line 3 \"k.cl\"\nb\n")
    }

    @Test func includesInCommentsAreNone() throws {
        let text = "// #include \"no\"\n/*\n#include \"no\"\n*/ a / b\n"
        #expect(try ProgramSource(name: "k", source: text, lineMarkers: false).text == text + "\n")
    }

    @Test func missingHeaders() {
        #expect(throws: OpenCLError.missingHeader(name: "b.clh", includedBy: "a.clh")) {
            try ProgramSource(name: "k.cl", source: "#include \"a.clh\"", headers: ["a.clh": "#include \"b.clh\""])
        }
        refusal("line 2") { _ = try ProgramSource(name: "k.cl", source: "\n#include <stdio.h>") }
        refusal("line 1") { _ = try ProgramSource(name: "k.cl", source: "#include \"/etc/passwd") }
        refusal("line 1") { _ = try ProgramSource(name: "k.cl", source: "#include \"\"") }
    }

    @Test func headersThatIncludeEachOtherEnd() throws {
        let source = try ProgramSource(
            name: "k", source: "#include \"a\"", headers: ["a": "#include \"b\"\nA", "b": "#include \"a\"\nB"],
            lineMarkers: false)
        #expect(source.text.split(separator: "\n") == ["B", "A"])
    }

    @Test func identity() throws {
        let one = try ProgramSource(name: "x", source: "a", lineMarkers: false)
        let two = try ProgramSource(name: "y", source: "a", lineMarkers: false)
        #expect(one == two)
        #expect(try one != ProgramSource(name: "x", source: "b", lineMarkers: false))
    }
}

@Suite(.needsDevice) struct ProgramTests {
    @Test(arguments: Machine.subjects)
    func aKernelThatDoesNotBuild(_ subject: Subject) throws {
        let options = try BuildOptions(definitions: [("SIZE", 4)])
        do {
            _ = try subject.program("__kernel void broken(__global int *x) { x[0] = not_there; }", options: options)
            Issue.record("it built")
        } catch let error as OpenCLError {
            guard case .buildFailed(let status, let program, let device, let flags, let log) = error else {

                Issue.record("\(error)")
                return

            }
            #expect(status == .buildProgramFailure && program == "test.cl" && device == subject.device.name)
            #expect(flags == "-cl-std=CL1.2 -DSIZE=4")
            #expect(log.contains("not_there"))
            #expect(error.description.contains(log))
        }
    }

    @Test(arguments: Machine.subjects)
    func definitionsAndHeadersArrive(_ subject: Subject) throws {
        let program = try Program.build(
            name: "test.cl",
            source: "#include \"types.clh\"\n__kernel void put(__global TYPE *x) { x[get_global_id(0)] = VALUE; }",
            headers: ["types.clh": "#define VALUE (SIZE + 1)\n"],
            options: try BuildOptions(definitions: [("TYPE", .identifier("int")), ("SIZE", -5)]), in: subject.context)
        #expect(try program.kernelNames() == ["put"])
        let buffer = try Buffer(context: subject.context, byteCount: 16)
        let queue = try subject.queue()
        try program.launch("put").buffer(buffer).enqueue(on: queue, global: WorkSize(4))
        #expect(try buffer.read(Int32.self, count: 4, on: queue) == [-4, -4, -4, -4])
        #expect(throws: OpenCLError.self) { _ = try program.kernel("absent") }
    }

    @Test(arguments: Machine.subjects)
    func binariesComeBack(_ subject: Subject) throws {
        let text = "__kernel void put(__global int *x) { x[get_global_id(0)] = 7; }"
        let binary = try subject.program(text).binary()
        #expect(!binary.isEmpty)
        let program = try Program.load(binary: binary, name: "again", in: subject.context)
        let buffer = try Buffer(context: subject.context, byteCount: 16)
        let queue = try subject.queue()
        try program.launch("put").buffer(buffer).enqueue(on: queue, global: WorkSize(4))
        #expect(try buffer.read(Int32.self, count: 4, on: queue) == [7, 7, 7, 7])
        refusal("empty") { _ = try Program.load(binary: [], name: "none", in: subject.context) }
    }
}
