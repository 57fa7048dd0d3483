#!/usr/bin/env python3
"""The Debian package: built from what is in the build folder, looked at, and unpacked."""
import os
import re
import shutil
import subprocess
import sys

from lib import testing

ROOT = os.path.normpath(os.path.join(testing.HERE, "..", "..", ".."))
UNIT = os.path.join(ROOT, "packaging", "parley-relay.service")


def run(*command, **options):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=250, check=False, **options)


class PackageTest(testing.ProgramTest):
    def build(self):
        """The package's path."""
        build = os.path.dirname(testing.programs)
        done = run("cpack", "-G", "DEB", "-B", self.work, cwd=build)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return self.path(*[name for name in os.listdir(self.work) if name.endswith(".deb")])

    def test_has_program_unit_and_configuration_and_runs(self):
        package = self.build()
        self.assertRegex(os.path.basename(package), r"^parley-relay_[0-9.]+_\w+\.deb$")
        about = run("dpkg-deb", "--field", package).stdout
        self.assertIn("Package: parley-relay\n", about)
        # What the program is linked with, by Debian's own tool.
        for needed in ("adduser", "libc6", "libgrpc++", "librocksdb", "libprometheus-cpp-pull"):
            self.assertRegex(about, rf"(?m)^Depends: .*{re.escape(needed)}")
        listing = run("dpkg-deb", "--contents", package).stdout
        for path in ("/usr/bin/parley-relay", "/usr/lib/systemd/system/parley-relay.service",
                     "/etc/parley-relay/relay.toml",
                     "/usr/share/doc/parley-relay/grafana-dashboard.json"):
            self.assertRegex(listing, rf"(?m)root/root .* \.{re.escape(path)}$")
        for script in ("postinst", "prerm", "postrm"):
            text = run("dpkg-deb", "--info", package, script).stdout
            self.assertEqual(run("sh", "-n", "-c", text).returncode, 0, script)
        self.assertEqual(run("dpkg-deb", "--info", package, "conffiles").stdout,
                         "/etc/parley-relay/relay.toml\n")

        # As installed, the program takes its configuration.
        root = self.path("root")
        self.assertEqual(run("dpkg-deb", "--extract", package, root).returncode, 0)
        checked = run(os.path.join(root, "usr/bin/parley-relay"), "serve", "--config",
                      os.path.join(root, "etc/parley-relay/relay.toml"), "--data",
                      self.path("data"), "--check-config")
        self.assertEqual((checked.returncode, checked.stderr), (0, ""), checked)

    def test_the_unit_starts_what_is_packaged_and_is_shut_in(self):
        with open(UNIT, encoding="utf-8") as file:
            unit = file.read()
        self.assertIn("ExecStart=/usr/bin/parley-relay serve --config /etc/parley-relay/relay.toml\n",
                      unit)
        with open(os.path.join(ROOT, "packaging", "relay.toml"), encoding="utf-8") as file:
            self.assertIn('data = "/var/lib/parley-relay"', file.read())
        self.assertIn("StateDirectory=parley-relay\n", unit)
        if shutil.which("systemd-analyze") is None:
            self.skipTest("systemd-analyze is not here")
        done = run("systemd-analyze", "security", "--offline=true", "--threshold=15", UNIT)
        self.assertEqual(done.returncode, 0, done.stdout)
        level = re.search(r"exposure level for parley-relay.service: ([0-9.]+)", done.stdout)
        with open(os.path.join(ROOT, "docs", "operations.md"), encoding="utf-8") as file:
            self.assertIn(f"exposure level of {level.group(1)}", file.read())


if __name__ == "__main__":
    if shutil.which("cpack") is None or shutil.which("dpkg-deb") is None:
        print("cpack or dpkg-deb is not here")
        sys.exit(77)
    testing.main()
