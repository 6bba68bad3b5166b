#!/usr/bin/env python3
"""Measures what the balancer takes where it has little to do, and what it adds to a request.

    bench/at_rest.py [--clients N]

Prints markdown: resident memory at rest; user memory for each idle keep-alive client; and the
balancer's own share of the latency at 10,000 requests/s. Needs wrk and nginx (see bench/run.sh).
"""

import argparse
import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
REQUEST = b"GET /64 HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"
RATE_CLIENTS = 64
RATE_PAUSE_MS = 6


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port):
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"error: nothing listens on port {port}")


def memory_kib(pid, key):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1])
    raise KeyError(key)


def start_backend(directory, port):
    www = directory / "www"
    www.mkdir()
    (www / "64").write_bytes(b"x" * 64)
    for path in (directory, www, www / "64"):
        path.chmod(0o755)
    temporary = "".join(f"{kind}_temp_path {directory}/tmp; " for kind in
                        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (directory / "nginx.conf").write_text(
        f"worker_processes 1; daemon off; master_process off; pid {directory}/pid;"
        "error_log /dev/null; events { worker_connections 4096; }"
        f"http {{ access_log off; keepalive_requests 1000000000; {temporary}"
        f"server {{ listen 127.0.0.1:{port}; root {www}; }} }}")
    return subprocess.Popen(["taskset", "-c", "1", "nginx", "-c", directory / "nginx.conf"],
                            stderr=subprocess.DEVNULL)


def measure_idle(pid, port, count):
    before = memory_kib(pid, "RssAnon")
    clients = []
    for _ in range(count):
        client = socket.create_connection(("127.0.0.1", port))
        client.sendall(REQUEST)
        client.recv(4096)
        clients.append(client)
    after = memory_kib(pid, "RssAnon")
    for client in clients:
        client.close()
    return (after - before) * 1024 / count


def measure_own_share(pid, port, log, directory):
    """The latencies that the balancer itself reports at SIGUSR1, after a steady load."""
    script = directory / "pause.lua"
    script.write_text(f"function delay() return {RATE_PAUSE_MS} end\n")
    out = subprocess.run(
        ["taskset", "-c", "1", "wrk", "-t1", f"-c{RATE_CLIENTS}", "-d10s", "-s", script,
         f"http://127.0.0.1:{port}/64"], check=True, capture_output=True, text=True).stdout
    rate = next(line.split()[1] for line in out.splitlines() if line.startswith("Requests/sec"))
    os.kill(pid, signal.SIGUSR1)
    for _ in range(100):
        for line in log.read_text().splitlines():
            if line.startswith("{"):
                return float(rate), json.loads(line)
        time.sleep(0.05)
    raise SystemExit("error: the balancer reported nothing at SIGUSR1")


def start_balancer(log, port, backend_port):
    command = ["taskset", "-c", "0", ROOT / "build/bin/gocomet-balancer",
               "--listen", f"127.0.0.1:{port}", "--worker", f"127.0.0.1:{backend_port}"]
    with log.open("w") as stderr:
        process = subprocess.Popen(command, stderr=stderr)
    wait_for(port)
    return process


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--clients", type=int, default=10_000)
    count = arguments.parse_args().clients
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    if limit < count + 100:
        raise SystemExit(f"error: {limit} descriptors at most are allowed; try --clients {limit - 100}")
    with tempfile.TemporaryDirectory() as temporary:
        directory = pathlib.Path(temporary)
        backend_port = free_port()
        backend = start_backend(directory, backend_port)
        wait_for(backend_port)
        try:
            port = free_port()
            balancer = start_balancer(directory / "idle.log", port, backend_port)
            time.sleep(1)
            print(f"Resident at rest: {memory_kib(balancer.pid, 'VmRSS') / 1024:.1f} MiB")
            each = measure_idle(balancer.pid, port, count)
            print(f"User memory for each of {count} idle keep-alive clients: {each:.0f} bytes")
            balancer.terminate()
            balancer.wait()

            port = free_port()
            log = directory / "rate.log"
            balancer = start_balancer(log, port, backend_port)
            rate, report = measure_own_share(balancer.pid, port, log, directory)
            print(f"At {rate:.0f} requests/s with {RATE_CLIENTS} clients, in µs:\n")
            print("| | p50 | p90 | p99 | p99.9 |\n| --- | ---: | ---: | ---: | ---: |")
            for name, row in report["latency_us"].items():
                print(f"| {name} | " + " | ".join(str(row[q]) for q in
                                                  ("p50", "p90", "p99", "p99.9")) + " |")
            balancer.terminate()
            balancer.wait()
        finally:
            backend.terminate()
            backend.wait()


if __name__ == "__main__":
    main()
