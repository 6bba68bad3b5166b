#!/usr/bin/env python3
"""Measures the control plane: with 10,000 workers, and with three where nothing happens.

    bench/control_plane.py [--seconds S]

Prints markdown. The rest of the machine should be idle: the parts that stand for 50 balancers and
10,000 workers share it with the control plane.
"""

import argparse
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def wait_until_ready(port, process):
    for _ in range(600):
        if process.poll() is not None:
            raise SystemExit("error: the control plane has ended; see its words above")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError):
            pass
        time.sleep(0.1)
    raise SystemExit("error: the control plane is not ready after 60 s")


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise KeyError("VmRSS")


def measure_rest(seconds):
    with tempfile.TemporaryDirectory() as directory:
        grpc, http = free_ports(2)
        base = 20_000 + os.getpid() % 10_000
        (pathlib.Path(directory) / "config.yaml").write_text(
            "worker: 3\npool: 2\nruntime: process\n"
            f"load-balancer-port: {base}\nworker-port: {base + 10}\n"
            f"control-plane:\n  grpc: 127.0.0.1:{grpc}\n  http: 127.0.0.1:{http}\n")
        process = subprocess.Popen([BUILD / "bin/gocomet-controlplane", "--config", "config.yaml"],
                                   cwd=directory, stdout=subprocess.DEVNULL)
        try:
            wait_until_ready(http, process)
            time.sleep(10)  # Until what belongs to the start is over.
            before = cpu_seconds(process.pid)
            time.sleep(seconds)
            used = (cpu_seconds(process.pid) - before) / seconds
            print(f"| at rest, 3 workers and 2 balancers: of a core, over {seconds} s | 0.3 % "
                  f"| {used * 100:.2f} % |")
            print(f"| the same: resident | 48 MiB | {resident_kib(process.pid) / 1024:.1f} MiB |")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--seconds", type=int, default=60)
    seconds = arguments.parse_args().seconds
    subprocess.run(["cmake", "--build", BUILD, "-t", "plan_benchmark", "scale_benchmark"],
                   check=True, stdout=subprocess.DEVNULL)
    subprocess.run([BUILD / "bench/plan_benchmark"], check=True)
    print("\n| what | goal | measured |\n| --- | ---: | ---: |", flush=True)
    subprocess.run([BUILD / "bench/scale_benchmark"], check=True)
    measure_rest(seconds)


if __name__ == "__main__":
    main()
