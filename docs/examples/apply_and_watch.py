"""Applies a config, watches workers until all are ready, and prints statistics.

Debian's packages python3-grpcio, protobuf-compiler and protobuf-compiler-grpc are all it needs:

    docs/examples/python-stubs.sh /tmp/gocomet-stubs
    PYTHONPATH=/tmp/gocomet-stubs /usr/bin/python3 docs/examples/apply_and_watch.py config.yaml
"""

import argparse
import getpass
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


def apply(channel, path):
    """Makes the file's content the newest revision, unless somebody else was faster."""
    stub = config_pb2_grpc.ConfigServiceStub(channel)
    newest = stub.GetConfig(config_pb2.GetConfigRequest(), timeout=CALL_SECONDS).revision
    with open(path, encoding="utf-8") as file:
        request = config_pb2.ApplyConfigRequest(
            config_yaml=file.read(),
            file_name=path,
            base_revision=newest.number,
            author=getpass.getuser(),
            reason="applied by apply_and_watch.py",
        )
    response = stub.ApplyConfig(request, timeout=CALL_SECONDS)
    what = "is new" if response.changed else "says the same already"
    print(f"revision {response.revision.number} {what}")


def wanted_replicas(channel):
    stub = workers_pb2_grpc.ServiceServiceStub(channel)
    services = stub.ListServices(workers_pb2.ListServicesRequest(), timeout=CALL_SECONDS).services
    return sum(service.spec.replicas for service in services)


def watch_until_ready(channel, seconds):
    """Prints each change of a worker until all that are wanted are ready and up to date."""
    wanted = wanted_replicas(channel)
    stub = workers_pb2_grpc.WorkerServiceStub(channel)
    changes = stub.WatchWorkers(workers_pb2.WatchWorkersRequest(), timeout=seconds)
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


def print_statistics(channel):
    stub = statistics_pb2_grpc.StatisticsServiceStub(channel)
    statistics = stub.GetStatistics(statistics_pb2.GetStatisticsRequest(), timeout=CALL_SECONDS)
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
    arguments = parser.parse_args()
    try:
        with grpc.insecure_channel(arguments.server) as channel:
            apply(channel, arguments.config)
            ready = watch_until_ready(channel, arguments.seconds)
            print(f"{ready} of {ready} workers are ready")
            print_statistics(channel)
    except grpc.RpcError as error:
        print(f"error: {error.code().name}: {error.details()}", file=sys.stderr)
        for violation in violations(error):
            print(f"  at {violation.field}: {violation.message}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
