#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/http/message.h"
#include "common/http/target.h"
#include "dataplane/route/route.h"
#include "dataplane/route/service_choice.h"

namespace gocomet::dataplane {

// What of a request its route is chosen by.
struct RequestAddress {
  std::string_view host;  // As its worker will see it, with a port where there is one.
  std::string_view path;  // Without the query; or `*`.
  const http::Fields& fields;
  bool client_is_trusted = true;  // Whether its X-Forwarded-* fields count.
};
// `form` is the target's, and good.
RequestAddress AddressOf(const http::RequestHead& head, http::TargetForm form,
                         bool client_is_trusted);

// The routes, in order, as requests are given to them. Immutable but for turns and counters; read
// by any thread, without locks.
class Router {
 public:
  using Requests = std::shared_ptr<std::atomic<uint64_t>>;

  // One route, ready for requests.
  struct Entry {
    Route route;  // Its targets are only those with a weight.
    // Among all targets of all routes: where its own begin.
    size_t first_target = 0;
    std::shared_ptr<ServiceChoice> choice;  // Null with one target.
    Requests requests;                      // That it took; null where nobody counts.

    // A place of route.targets.
    size_t Choose(std::optional<uint64_t> key_hash) const {
      return choice ? choice->Next(key_hash) : 0;
    }
  };

  // No routes: none is found.
  Router() = default;
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;
  // Routes of the same name as in `previous` go on with their turns, undisturbed where their
  // targets are the same.
  explicit Router(std::vector<Route> routes, const Router* previous = nullptr);

  enum class Verdict : uint8_t {
    kFound,
    kNoRoute,
    // Servers read the path differently, and the readings lead to different routes; or it is too
    // long to be sure.
    kAmbiguousPath,
    // The host's name is percent-encoded, and routes look at it.
    kAmbiguousHost,
  };
  struct Result {
    Verdict verdict = Verdict::kNoRoute;
    const Entry* entry = nullptr;  // Where one was found.
  };
  // The first route whose host, path and headers all match.
  Result Find(const RequestAddress& address) const;
  // The one that takes every request; null where a request must be looked at.
  const Entry* for_everything() const { return for_everything_; }

  const std::vector<Entry>& entries() const { return entries_; }
  const Entry* FindByName(std::string_view name) const;
  size_t targets() const { return targets_; }
  // Before it is shared. Counts the requests of the route of this name there.
  void CountInto(std::string_view name, Requests requests);

 private:
  const Entry* FirstFor(const RequestAddress& address, std::string_view host_name,
                        std::string_view reading) const;

  std::vector<Entry> entries_;
  const Entry* for_everything_ = nullptr;
  size_t targets_ = 0;
  bool looks_at_hosts_ = false;
  bool looks_at_paths_ = false;
};

}  // namespace gocomet::dataplane
