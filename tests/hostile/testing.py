"""The frame of the hostile and crash tests: unittest with the programs' folder and a folder to work in."""
import argparse
import os
import shutil
import sys
import tempfile
import unittest

LONG = os.environ.get("PARLEY_LONG", "0") not in ("", "0")


class SceneTest(unittest.TestCase):
    """One scene for all tests of the class, as it was set up at the beginning of each."""
    programs = None
    parts = ()
    fresh = True  # whether the scene is set back before each test
    scene = None

    @classmethod
    def setUpClass(cls):
        from scene import Scene  # pylint: disable=import-outside-toplevel
        cls.work = tempfile.mkdtemp(prefix="parley-hostile-")
        cls.used = False
        try:
            cls.scene = Scene(cls.programs, cls.work, cls.parts)
        except BaseException:
            print(f"everything is left in {cls.work}", file=sys.stderr)
            raise

    @classmethod
    def tearDownClass(cls):
        if cls.scene is not None:
            cls.scene.close()
            shutil.rmtree(cls.work, ignore_errors=True)

    def setUp(self):
        if self.fresh and type(self).used:
            self.scene.restore()
        type(self).used = True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True, help="folder of the programs")
    options, rest = parser.parse_known_args()
    SceneTest.programs = os.path.abspath(options.bin)
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
