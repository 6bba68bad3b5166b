#pragma once

#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/text.h"
#include "dataplane/app/director.h"
#include "tests/dataplane/loopback.h"

// A director with real shards and probes, and workers on loopback.
namespace gocomet::dataplane {

inline constexpr std::chrono::milliseconds kLong{600'000};

// A worker that answers each request on a connection of its own, or breaks it off.
class Worker {
 public:
  Worker() : thread_([this] { Serve(); }) {}
  ~Worker() {
    stopping_ = true;
    Peer::ConnectTo(door_.address());
    thread_.join();
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  const Address& address() const { return door_.address(); }
  void Break(bool broken) { broken_ = broken; }
  // Requests but for probes.
  int served() const { return served_; }

 private:
  void Serve() {
    while (true) {
      UniqueFd client(::accept4(door_.fd(), nullptr, nullptr, SOCK_CLOEXEC));
      if (stopping_) return;
      char request[4096];
      if (!client.valid() || ::recv(client.get(), request, sizeof(request), 0) <= 0) continue;
      ++served_;
      if (broken_) continue;
      constexpr std::string_view kOk =
          "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
      ::send(client.get(), kOk.data(), kOk.size(), MSG_NOSIGNAL);
    }
  }

  Door door_;
  std::atomic<bool> broken_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<int> served_{0};
  std::thread thread_;
};

class RunningDirector {
 public:
  explicit RunningDirector(int threads = 1, Counters counters = {})
      : director_(loop_, {.nothing_in_flight = [] {}, .drained = [] {}}) {
    director_.CountIn(std::move(counters));
    address_ = FreeAddress();
    director_.Start(threads, ProxySettings{});
    director_.AcceptFrom(*ListenAlone(address_, threads));
    thread_ = std::thread([this] { loop_.Run(); });
  }
  ~RunningDirector() {
    loop_.Stop();
    thread_.join();
  }
  RunningDirector(const RunningDirector&) = delete;
  RunningDirector& operator=(const RunningDirector&) = delete;

  // Everything to one service.
  void Assign(const WantedService& service, Route route = {}) {
    route.targets = {{service.name}};
    Assign(Assignment{{service}, {route}});
  }
  // Returns once all threads route by it.
  void Assign(const Assignment& assignment) {
    std::promise<void> adopted;
    director_.SetAssignment(assignment, [&adopted] { adopted.set_value(); });
    adopted.get_future().wait();
  }

  std::vector<EndpointStatus> Status() {
    std::promise<std::vector<EndpointStatus>> status;
    loop_.Post([&] { status.set_value(director_.Status()); });
    return status.get_future().get();
  }
  std::map<std::string, uint64_t> RequestsByRoute() {
    std::promise<std::map<std::string, uint64_t>> counts;
    loop_.Post([&] { counts.set_value(director_.requests_by_route()); });
    return counts.get_future().get();
  }
  // Runs `task` on the director's thread and waits for its end.
  void Do(const std::function<void(Director&)>& task) {
    std::promise<void> done;
    loop_.Post([&] {
      task(director_);
      done.set_value();
    });
    done.get_future().wait();
  }
  EndpointStatus StatusOf(const std::string& worker_id, uint64_t incarnation = 1) {
    for (const EndpointStatus& status : Status()) {
      if (status.endpoint->worker_id == worker_id && status.endpoint->incarnation == incarnation) {
        return status;
      }
    }
    ADD_FAILURE() << worker_id << " is not known";
    return {};
  }
  bool BecomesHealthy(const std::string& worker_id, bool healthy) {
    return Eventually([&] { return StatusOf(worker_id).healthy == healthy; });
  }

  // One request on a connection of its own; its answer.
  std::string Ask(const std::string& method = "GET", const std::string& fields = "") {
    Peer client = Peer::ConnectTo(address_);
    client.Send(Cat(method, " / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n", fields, "\r\n"));
    return client.ReadToEnd();
  }

 private:
  Address address_;
  EventLoop loop_;
  Director director_;
  std::thread thread_;
};

inline WantedEndpoint Wanted(const std::string& id, const Address& address,
                             uint64_t incarnation = 1) {
  return {.worker_id = id, .incarnation = incarnation, .address = address};
}

// Probes that connect once at the start and not again within a test.
inline WantedService AssignmentOf(std::vector<WantedEndpoint> endpoints) {
  WantedService service;
  service.endpoints = std::move(endpoints);
  service.health.interval = kLong;
  return service;
}

}  // namespace gocomet::dataplane
