#!/usr/bin/env python3
"""Installs the library into a fresh prefix, builds the example against it, and runs it on a real relay.

  installed_example_test.py --cmake CMAKE --build BUILD_DIR --relay PARLEY_RELAY --source EXAMPLE_DIR

What it shows: the package is complete (headers, library, CMake files), the library's symbols are the
public ones, the headers need no other package's, and the program works.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
import time


def run(command, **options):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            check=False, **options)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)}\nended with {result.returncode}:\n{result.stdout}")
    return result.stdout


def start_relay(program, data):
    log = open(os.path.join(os.path.dirname(data), "relay.log"), "w+", encoding="utf-8")
    relay = subprocess.Popen([program, "serve", "--data", data, "--listen", "127.0.0.1:0"],
                             stdout=log, stderr=subprocess.STDOUT)
    for _ in range(600):
        with open(log.name, encoding="utf-8") as lines:
            if "listening on" in lines.read():
                return relay
        if relay.poll() is not None:
            break
        time.sleep(0.1)
    with open(log.name, encoding="utf-8") as lines:
        sys.exit("the relay didn't start:\n" + lines.read())


def check_symbols(library):
    names = run(["nm", "-DC", "--defined-only", library]).splitlines()
    names = [re.sub(r"^[0-9a-f ]+ [A-Z] ", "", name) for name in names]
    public = re.compile(r"PARLEY_0|parley::[A-Z]\w*(\[abi:cxx11\])?\(|"
                        r"parley::Profile::(~?\w+|operator=)(\[abi:cxx11\])?\(")
    foreign = [name for name in names if not public.match(name)]
    if foreign:
        sys.exit("libparley.so shows more than its public functions:\n" + "\n".join(foreign[:20]))
    if not any("parley::Profile::Send(" in name for name in names):
        sys.exit("libparley.so doesn't show parley::Profile::Send")
    print(f"{len(names)} symbols, all public")


def check_soname(library):
    found = re.search(r"SONAME.*\[(.*)\]", run(["readelf", "-d", library]))
    if not found or found.group(1) != "libparley.so.0":
        sys.exit(f"the soname is {found and found.group(1)}")


def main():
    parser = argparse.ArgumentParser()
    for name in ("cmake", "build", "relay", "source"):
        parser.add_argument("--" + name, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="parley-example-") as folder:
        prefix = os.path.join(folder, "prefix")
        run([options.cmake, "--install", options.build, "--prefix", prefix,
             "--component", "library"])
        library = run(["find", prefix, "-name", "libparley.so"]).strip()
        check_symbols(library)
        check_soname(library)

        built = os.path.join(folder, "built")
        run([options.cmake, "-S", options.source, "-B", built, f"-DCMAKE_PREFIX_PATH={prefix}",
             "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror"])
        run([options.cmake, "--build", built])

        data = os.path.join(folder, "relay")
        relay = start_relay(options.relay, data)
        try:
            connection = run([options.relay, "sponsor", "add", "Example", "--quota", "1GiB",
                              "--data", data]).splitlines()[-1]
            file = os.path.join(folder, "brief.txt")
            with open(file, "wb") as out:
                out.write(os.urandom(100_000))
            people = os.path.join(folder, "people")
            os.mkdir(people)
            shown = run([os.path.join(built, "two_people"), connection, people, file])
            print(shown)
            with open(file, "rb") as sent, open(os.path.join(people, "fetched"), "rb") as fetched:
                if sent.read() != fetched.read():
                    sys.exit("the file that was fetched is another one")
            for expected in ("Ana (party): Here is our brief.", "Ana (party): brief.txt",
                             "caucus:Harbor is read by Mira Ana"):
                if expected not in shown:
                    sys.exit(f"the example didn't show \"{expected}\"")
        finally:
            relay.terminate()
            if relay.wait(timeout=30) != 0:
                sys.exit("the relay didn't end with 0")


if __name__ == "__main__":
    main()
