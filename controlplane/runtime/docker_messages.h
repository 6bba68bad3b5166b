#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/statusor.h>

#include "controlplane/runtime/runtime_driver.h"

// What is said to a Docker engine and understood of its answers. Pure. Errors of parsing are
// INVALID_ARGUMENT and name the field. Source: Docker Engine API, versions 1.24 to 1.41.
namespace gocomet::controlplane {

// ---- Versions.

struct EngineVersion {
  std::string name;     // `20.10.24`
  std::string api;      // The newest that it speaks, `1.41`.
  std::string api_min;  // The oldest.
};

absl::StatusOr<EngineVersion> ParseEngineVersion(std::string_view json);
// The version to speak, such as `1.41`. FAILED_PRECONDITION where there is none in common.
absl::StatusOr<std::string> NegotiateApiVersion(const EngineVersion& engine);

// ---- Images.

// The error out of a build's output, one JSON object per line, with its last lines; OK without one.
absl::Status ParseBuildOutput(std::string_view output);

// The image as POST /images/create takes it: a name, and a tag or digest.
struct ImageReference {
  std::string name;
  std::string tag;
};
ImageReference SplitImage(const std::string& image);

// What a pull says, one JSON object per line, however it was cut.
class PullOutput {
 public:
  void Add(std::string_view bytes);
  const std::string& error() const { return error_; }  // The engine's words; "": none so far.
  // How far it is, for people, such as `3 of 7 layers, 12 MB loaded`; "": it has said nothing.
  std::string Progress() const;

 private:
  struct Layer {
    uint64_t bytes_loaded = 0;
    bool there = false;
  };

  void TakeLine(std::string_view line);

  std::string rest_;
  std::string error_;
  std::string last_;  // The last that it said.
  std::map<std::string, Layer> layers_;
};

// ---- Containers.

// The value of `filters` for lists and events: all of a cluster, or one instance of it.
std::string ClusterFilter(const std::string& cluster, const std::string& instance = "");
std::string EventFilter(const std::string& cluster);

// The ids out of GET /containers/json.
absl::StatusOr<std::vector<std::string>> ParseContainerIds(std::string_view json);
// The id out of the answer of POST /containers/create.
absl::StatusOr<std::string> ParseCreatedId(std::string_view json);

// One container, out of GET /containers/ID/json.
struct Container {
  std::string id;
  std::string cluster;     // "": not of GoComet.
  std::string ip_address;  // Its own; "" where it does not run.
  std::string gateway;     // The engine's own address on the container's network.
  uint16_t port_inside = 0;
  std::string stop_signal;
  bool is_demo = true;
  bool never_started = false;
  RuntimeWorker worker;  // Without the addresses for balancers.
};
absl::StatusOr<Container> ParseContainer(std::string_view json);

// For the query of a URL (RFC 3986, section 2.1).
std::string PercentEncode(std::string_view text);

}  // namespace gocomet::controlplane
