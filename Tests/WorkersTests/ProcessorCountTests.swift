import Testing

@testable import Workers

@Suite struct ProcessorCountTests {
    private func count(affinity: Int? = 16, online: Int = 16, _ files: [String: String] = [:]) -> Int {
        ProcessorCount(affinity: affinity, online: online, text: { files[$0] }).count
    }

    @Test func machine() {
        #expect(count() == 16)
        #expect(count(affinity: 3) == 3)
        #expect(count(affinity: 99, online: 16) == 16)
        #expect(count(affinity: nil, online: 8) == 8)
        #expect(count(affinity: 4, online: -1) == 4)
        #expect(count(affinity: nil, online: -1) == 1)
        #expect(count(affinity: 0, online: 0) == 1)
        #expect(ProcessorCount.current() >= 1)
    }

    @Test(arguments: [
        ("0-3,8", 5), ("0", 1), ("\t0-15", 16), ("", 16), ("3-1", 16), ("a", 16), ("1-", 16), ("-1", 16),
        ("0-99999999999999", 16), ("1-2-3", 16),
    ])
    func allowedList(text: String, expected: Int) {
        let files = [
            "/proc/self/status": "Name:\tx\nCpus_allowed:\tff\nCpus_allowed_list:\t\(text)\nMems_allowed:\t1\n"
        ]
        #expect(count(affinity: nil, files) == expected)
    }

    @Test(arguments: [
        ("200000 100000\n", 2), ("150000 100000", 2), ("100001 100000", 2), ("1000 100000", 1), ("max 100000", 16),
        ("9900000 100000", 16), ("", 16), ("200000", 16), ("200000 0", 16), ("-1 100000", 16), ("0 100000", 16),
        ("two 100000", 16), ("200000 100000 1", 16), ("99999999999999999999 100000", 16),
        ("9223372036854775807 1", 16),
    ])
    func quota(text: String, expected: Int) {
        #expect(count(["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": text]) == expected)
        #expect(count(["/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/b/cpu.max": text]) == expected)
        #expect(count(["/proc/self/cgroup": "0::/a\n", "/sys/fs/cgroup/unified/a/cpu.max": text]) == expected)
    }

    @Test func groupsAround() {
        let group = "0::/one/two/three\n"
        #expect(
            count([
                "/proc/self/cgroup": group, "/sys/fs/cgroup/one/two/three/cpu.max": "max 100000",
                "/sys/fs/cgroup/one/two/cpu.max": "500000 100000", "/sys/fs/cgroup/one/cpu.max": "300000 100000",
            ]) == 3)
        // Another group's quota, and one without a group, bind nobody.
        #expect(count(["/proc/self/cgroup": group, "/sys/fs/cgroup/two/cpu.max": "100000 100000"]) == 16)
        #expect(count(["/sys/fs/cgroup/cpu.max": "100000 100000"]) == 16)
        // A namespace that shows a path outside of it: only the root is known.
        #expect(count(["/proc/self/cgroup": "0::/../x", "/sys/fs/cgroup/cpu.max": "400000 100000"]) == 4)
    }

    @Test(arguments: [("cpu", "cpu"), ("cpu,cpuacct", "cpu"), ("cpu,cpuacct", "cpu,cpuacct"), ("cpuacct,cpu", "cpu")])
    func versionOne(controllers: String, mount: String) {
        let groups = "9:name=systemd:/\n4:memory:/x\n3:\(controllers):/docker/abc\n"
        let folder = "/sys/fs/cgroup/" + mount
        for at in [folder, folder + "/docker", folder + "/docker/abc"] {
            #expect(
                count([
                    "/proc/self/cgroup": groups, at + "/cpu.cfs_quota_us": "250000\n",
                    at + "/cpu.cfs_period_us": "100000\n",
                ]) == 3)
            #expect(count(["/proc/self/cgroup": groups, at + "/cpu.cfs_quota_us": "250000\n"]) == 16)
            #expect(
                count([
                    "/proc/self/cgroup": groups, at + "/cpu.cfs_quota_us": "-1\n",
                    at + "/cpu.cfs_period_us": "100000\n",
                ]) == 16)
        }
        // The group of another controller.
        #expect(
            count([
                "/proc/self/cgroup": "2:cpuset:/x\n", "/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us": "100000",
                "/sys/fs/cgroup/cpu/x/cpu.cfs_period_us": "100000",
            ]) == 16)
    }

    @Test func nonsense() {
        for text in [
            "", "\n\n", ":", "::", "0:", "0::", "a:b:c:d", "\u{0}", "0::/" + String(repeating: "/x", count: 300),
        ] {
            #expect(count(["/proc/self/cgroup": text]) == 16)
        }
    }
}
