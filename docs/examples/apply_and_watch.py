"""Applies a config, watches workers until all are ready, and prints statistics.

Debian's packages python3-grpcio, protobuf-compiler and protobuf-compiler-grpc are all it needs:

    docs/examples/python-stubs.sh /tmp/gocomet-stubs
    PYTHONPATH=/tmp/gocomet-stubs /usr/bin/python3 docs/examples/apply_and_watch.py config.yaml
"""

import argparse
import getpass
import os
import sys

import grpc

from gocomet.v1 import config_pb2, config_pb2_grpc, errors_pb2
from gocomet.v1 import statistics_pb2, statistics_pb2_grpc
from gocomet.v1 import workers_pb2, workers_pb2_grpc

CALL_SECONDS = 10  # Every call has a deadline.


def violations(error):
    """The faults that an error names, field by field: empty where it names none."""
    for key, value in error.trailing_metadata() or ():
        if key != "grpc-status-details-bin":
            continue
        for detail in errors_pb2.ErrorStatus.FromString(value).details:
            found = errors_pb2.Violations()
            if detail.Unpack(found):
                return list(found.violations)
    return []


def credentials(token_file):
    """Who calls, as metadata of each call: whoever has the token in GOCOMET_TOKEN or in the file."""
    token = os.environ.get("GOCOMET_TOKEN", "")
    if not token and os.path.exists(token_file):
        with open(token_file, encoding="ascii") as file:
            token = file.read().strip()
    return [("authorization", f"Bearer {token}")] if token else []


def connect(server, tls_ca):
    """A channel over TLS where the control plane's authority is named, in the clear otherwise."""
    if not tls_ca:
        return grpc.insecure_channel(server)
    with open(tls_ca, "rb") as file:
        return grpc.secure_channel(server, grpc.ssl_channel_credentials(file.read()))


def apply(channel, metadata, path):
    """Makes the file's content the newest revision, unless somebody else was faster."""
    stub = config_pb2_grpc.ConfigServiceStub(channel)
    request = config_pb2.GetConfigRequest()
    newest = stub.GetConfig(request, timeout=CALL_SECONDS, metadata=metadata).revision
    with open(path, encoding="utf-8") as file:
        request = config_pb2.ApplyConfigRequest(
            config_yaml=file.read(),
            file_name=path,
            base_revision=newest.number,
            author=getpass.getuser(),
            reason="applied by apply_and_watch.py",
        )
    response = stub.ApplyConfig(request, timeout=CALL_SECONDS, metadata=metadata)
    what = "is new" if response.changed else "says the same already"
    print(f"revision {response.revision.number} {what}")


def wanted_replicas(channel, metadata):
    stub = workers_pb2_grpc.ServiceServiceStub(channel)
    request = workers_pb2.ListServicesRequest()
    response = stub.ListServices(request, timeout=CALL_SECONDS, metadata=metadata)
    return sum(service.spec.replicas for service in response.services)


def watch_until_ready(channel, metadata, seconds):
    """Prints each change of a worker until all that are wanted are ready and up to date."""
    wanted = wanted_replicas(channel, metadata)
    stub = workers_pb2_grpc.WorkerServiceStub(channel)
    request = workers_pb2.WatchWorkersRequest()
    changes = stub.WatchWorkers(request, timeout=seconds, metadata=metadata)
    workers = {}
    shown = {}
    complete = False
    for change in changes:
        worker = change.worker
        if change.type == workers_pb2.WorkerChange.TYPE_SYNCED:
            complete = True
        elif change.type == workers_pb2.WorkerChange.TYPE_REMOVED:
            workers.pop(worker.name, None)
            print(f"{worker.name} {worker.id} is gone")
        else:
            workers[worker.name] = worker
            state = workers_pb2.WorkerState.Name(worker.status.state)
            line = f"{worker.name} {worker.id} {state.removeprefix('WORKER_STATE_')}"
            if shown.get(worker.name) != line:
                print(line)
            shown[worker.name] = line
        ready = [
            worker
            for worker in workers.values()
            if worker.status.state == workers_pb2.WORKER_STATE_READY and worker.status.up_to_date
        ]
        if complete and len(ready) == len(workers) == wanted:
            changes.cancel()
            return wanted


def print_statistics(channel, metadata):
    stub = statistics_pb2_grpc.StatisticsServiceStub(channel)
    request = statistics_pb2.GetStatisticsRequest()
    statistics = stub.GetStatistics(request, timeout=CALL_SECONDS, metadata=metadata)
    print(f"{'worker':<16}{'requests':>10}{'failed':>10}{'mean ms':>10}")
    rows = [(w.worker_name, w.reported, w.average_response_time_ms) for w in statistics.workers]
    rows.append(("all", statistics.total, statistics.average_response_time_ms))
    for name, counters, mean in rows:
        requests = counters.successful + counters.failed
        print(f"{name:<16}{requests:>10}{counters.failed:>10}{mean:>10.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", help="a config.yaml")
    parser.add_argument("--server", default="127.0.0.1:7070", help="the control plane's IP:PORT")
    parser.add_argument("--seconds", type=float, default=60, help="how long to wait for workers")
    parser.add_argument("--token-file", help="the control plane's [.gocomet/admin-token beside it]")
    parser.add_argument("--tls-ca", help="speak TLS, and trust the authorities in this PEM file")
    arguments = parser.parse_args()
    state_directory = os.path.join(os.path.dirname(arguments.config), ".gocomet")
    metadata = credentials(arguments.token_file or os.path.join(state_directory, "admin-token"))
    try:
        with connect(arguments.server, arguments.tls_ca) as channel:
            apply(channel, metadata, arguments.config)
            ready = watch_until_ready(channel, metadata, arguments.seconds)
            print(f"{ready} of {ready} workers are ready")
            print_statistics(channel, metadata)
    except grpc.RpcError as error:
        print(f"error: {error.code().name}: {error.details()}", file=sys.stderr)
        for violation in violations(error):
            print(f"  at {violation.field}: {violation.message}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
