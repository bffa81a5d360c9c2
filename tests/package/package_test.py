#!/usr/bin/env python3
"""Muir as a library of other projects: a subdirectory of theirs, an installed CMake package, and pkg-config."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROJECT = pathlib.Path(__file__).parent / "project"
BUILD = pathlib.Path(os.environ["MUIR_BUILD_DIR"])
COUNTED = "to=1 be=1 or=1 not=1 to=2 be=2 made\n"


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="muir-package-")
        cls.path = pathlib.Path(cls.folder.name)
        # Another folder than where the sources are: nothing may be found by chance.
        cls.project = cls.path / "project"
        shutil.copytree(PROJECT, cls.project)
        cls.prefix = cls.path / "prefix"
        run("cmake", "--install", BUILD, "--prefix", cls.prefix, "--component", "library")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def configured(self, name, *options):
        build = self.path / name
        run("cmake", "-G", "Ninja", "-S", self.project, "-B", build, "-DCMAKE_BUILD_TYPE=Debug", *options)
        return build

    def test_an_installed_package_is_found_by_its_components(self):
        build = self.configured("found", f"-DCMAKE_PREFIX_PATH={self.prefix}")
        run("cmake", "--build", build)
        self.assertEqual(run(build / "words"), COUNTED)

    def test_a_component_that_is_none_is_said_so(self):
        (self.project / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.25)\nproject(p CXX)\nfind_package(Muir REQUIRED COMPONENTS strems)\n")
        self.addCleanup(shutil.copy, PROJECT / "CMakeLists.txt", self.project / "CMakeLists.txt")
        done = subprocess.run(["cmake", "-S", self.project, "-B", self.path / "none", f"-DCMAKE_PREFIX_PATH={self.prefix}"],
                              capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("strems", done.stderr)

    def test_pkg_config_knows_what_to_link(self):
        env = {**os.environ, "PKG_CONFIG_PATH": str(next(self.prefix.glob("lib*/**/pkgconfig")))}
        flags = run("pkg-config", "--cflags", "--libs", "muir-streams", env=env).split()
        program = self.path / "words"
        run("c++", "-std=c++20", self.project / "words.cc", "-o", program, *flags)
        self.assertEqual(run(program), COUNTED)

    def test_a_subdirectory_keeps_its_flags_to_itself(self):
        build = self.configured("below", f"-DMUIR_DIR={ROOT}", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON")
        target = "words" if os.environ.get("MUIR_LONG") else "clock"
        run("cmake", "--build", build, "--target", target)
        self.assertEqual(run(build / target), COUNTED if target == "words" else "no clock in here\n")
        own = next(line for line in (build / "compile_commands.json").read_text().splitlines()
                   if '"command"' in line and "clock.cc" in line)
        self.assertNotIn("-Werror", own)
        self.assertNotIn("-Wall", own)
        self.assertIn("-g", own)  # the user's build type


if __name__ == "__main__":
    unittest.main()
