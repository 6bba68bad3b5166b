#!/usr/bin/env python3
"""Follows a document as its reader would: writes the files that it shows and runs its commands.

    follow.py DOCUMENT --programs DIRECTORY [--image TAG=PROGRAM,ARGUMENT,... ...]

A document is Markdown. What it means here:

    Put this into `NAME`:      the fenced block that follows is written to NAME
    <!-- file: NAME -->        the fenced block before it is
    an indented block          is run by one shell, and must succeed
    <!-- terminal -->          the next indented block goes on in a terminal of its own
    <!-- shows: REGEXP -->     a line of what the block before it wrote matches
    <!-- never shows: REGEXP -->  none does
    <!-- needs: docker -->     skipped (77) where no engine answers; GOCOMET_REQUIRE_DOCKER=1 fails

Everything runs in an empty directory, and but for documents that need Docker in namespaces of its own, so
that a document may use the usual ports and look for processes by name. That takes root; 77 without.
"""

import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

BLOCK_SECONDS = 90
READY_SECONDS = 60
READY_URL = "http://127.0.0.1:7071/readyz"
SKIPPED = 77


class Failure(Exception):
    """What went wrong, for people."""


class Shell:
    """One shell that runs blocks one after the other and keeps its variables."""

    END = "--- end of block"

    def __init__(self, directory, environment):
        self.process = subprocess.Popen(
            ["bash", "--norc", "-o", "pipefail"], cwd=directory, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, block):
        """Returns what it wrote. Raises Failure where its last command fails or it takes too long."""
        signal.alarm(BLOCK_SECONDS)
        self.process.stdin.write(f"{block}\necho \"\n{self.END} $?\"\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.startswith(self.END):
                signal.alarm(0)
                output = "".join(lines).rstrip("\n")
                if line.split()[-1] != "0":
                    raise Failure(f"ended with status {line.split()[-1]}:\n{block}\n{output}")
                return output
            lines.append(line)
        raise Failure(f"the shell ended:\n{block}\n{''.join(lines)}")


class Reader:
    def __init__(self, directory, environment):
        self.directory = directory
        self.environment = environment
        self.shell = Shell(directory, environment)
        self.terminals = []
        self.output = ""

    def open_terminal(self, block):
        log = open(self.directory / f".terminal-{len(self.terminals)}", "w+")
        self.terminals.append((subprocess.Popen(
            ["bash", "-c", block], cwd=self.directory, env=self.environment, stdout=log,
            stderr=subprocess.STDOUT, start_new_session=True), log))
        if "gocomet-controlplane" in block:
            self.await_ready(log)

    def await_ready(self, log):
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(READY_URL, timeout=2):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        log.seek(0)
        raise Failure(f"not ready after {READY_SECONDS} s:\n{log.read()}")

    def run(self, block):
        self.output = self.shell.run(block)
        print(f"{block}\n{self.output}\n", flush=True)

    def check(self, pattern, wanted):
        found = re.search(pattern, self.output, re.MULTILINE) is not None
        if found != wanted:
            raise Failure(f"{'no' if wanted else 'a'} line matches {pattern!r}:\n{self.output}")

    def leave(self):
        """Ends what runs in terminals, as Ctrl-C would: the last one first."""
        for terminal, _ in reversed(self.terminals):
            if terminal.poll() is None:
                os.killpg(terminal.pid, signal.SIGINT)
            try:
                terminal.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(terminal.pid, signal.SIGKILL)


def follow(text, reader):
    name = fenced = None
    in_terminal = False
    lines = iter(text.splitlines())
    for line in lines:
        if match := re.search(r"this into `([^`]+)`", line):
            name = match[1]
        elif line.startswith("```"):
            block = []
            for inner in lines:
                if inner.startswith("```"):
                    break
                block.append(inner)
            fenced = "\n".join(block) + "\n"
            if name:
                (reader.directory / name).write_text(fenced)
            name = None
        elif match := re.fullmatch(r"<!-- (file|shows|never shows): (.*) -->", line):
            if match[1] == "file":
                (reader.directory / match[2]).write_text(fenced)
            else:
                reader.check(match[2], match[1] == "shows")
        elif line == "<!-- terminal -->":
            in_terminal = True
        elif line.startswith("    "):
            block = [line[4:]]
            for inner in lines:
                if not inner.startswith("    "):
                    break
                block.append(inner[4:])
            (reader.open_terminal if in_terminal else reader.run)("\n".join(block))
            in_terminal = False


def build_images(images):
    for image in images:
        tag, command = image.split("=", 1)
        program, *arguments = command.split(",")
        with tempfile.TemporaryDirectory() as context:
            shutil.copy(program, f"{context}/program")
            entry = ", ".join(f'"{word}"' for word in ["/program", *arguments])
            pathlib.Path(context, "Dockerfile").write_text(
                f"FROM scratch\nCOPY program /program\nENTRYPOINT [{entry}]\n")
            subprocess.run(["docker", "build", "--quiet", "--tag", tag, context], check=True,
                           capture_output=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("document", type=pathlib.Path)
    parser.add_argument("--programs", required=True)
    parser.add_argument("--image", action="append", default=[])
    options = parser.parse_args()
    text = options.document.read_text()

    if "<!-- needs: docker -->" in text:
        if subprocess.run(["docker", "version"], capture_output=True).returncode != 0:
            print("No Docker engine answers.")
            return 1 if os.environ.get("GOCOMET_REQUIRE_DOCKER") == "1" else SKIPPED
        build_images(options.image)
    elif os.environ.get("GOCOMET_FOLLOWS_ALONE") != "1":
        if os.geteuid() != 0:
            print("Skipped: only root makes the namespaces that it is followed in.")
            return SKIPPED
        os.environ["GOCOMET_FOLLOWS_ALONE"] = "1"
        os.execvp("unshare", ["unshare", "--net", "--pid", "--mount-proc", "--fork", "--kill-child",
                              "sh", "-c", 'ip link set lo up && exec "$@"', "sh",
                              sys.executable, *sys.argv])

    def too_long(*_):
        raise Failure(f"a block took longer than {BLOCK_SECONDS} s")

    signal.signal(signal.SIGALRM, too_long)
    with tempfile.TemporaryDirectory() as directory:
        environment = {**os.environ, "PATH": f"{options.programs}:{os.environ['PATH']}",
                       "HOME": directory}
        reader = Reader(pathlib.Path(directory), environment)
        try:
            follow(text, reader)
        except Failure as failure:
            print(f"FAILED: {options.document}: {failure}", flush=True)
            return 1
        finally:
            reader.leave()
            for image in options.image if "<!-- needs: docker -->" in text else []:
                subprocess.run(["docker", "image", "rm", "--force", image.split("=")[0]],
                               capture_output=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
