#include "controlplane/runtime/docker_errors.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "common/base/text.h"
#include "controlplane/runtime/json_fields.h"

namespace gocomet::controlplane {
namespace {

using absl::StatusCode;

struct KnownWords {
  std::string_view words;  // Lower case: the engine and what it calls differ in theirs.
  StatusCode code;
  std::string_view advice;
};

// The first that matches counts. Sources: the engine's answers as seen with versions 20.10 to 27,
// and moby's daemon/, container/ and distribution/ packages.
constexpr std::array kKnown = {
    // Ports; they come as 500.
    KnownWords{"port is already allocated", StatusCode::kAlreadyExists,
               "end the program or container that has the port, or change the service's port"},
    KnownWords{"address already in use", StatusCode::kAlreadyExists,
               "end the program or container that has the port, or change the service's port"},
    KnownWords{"cannot assign requested address", StatusCode::kInvalidArgument,
               "worker-bind must be an address of the engine's machine"},
    // Images.
    KnownWords{"pull access denied", StatusCode::kNotFound,
               "check the image's name; a private one has to be pulled by hand after docker login"},
    KnownWords{"toomanyrequests", StatusCode::kResourceExhausted,
               "the registry limits pulls: wait, or pull the image by hand after docker login"},
    KnownWords{"manifest unknown", StatusCode::kNotFound, "check the image's name and tag"},
    KnownWords{"no matching manifest", StatusCode::kNotFound,
               "the image is not made for this machine's processor"},
    KnownWords{"repository does not exist", StatusCode::kNotFound, "check the image's name"},
    KnownWords{"no such image", StatusCode::kNotFound, "check the image's name and tag"},
    KnownWords{"invalid reference format", StatusCode::kInvalidArgument,
               "an image is named as in NAME:TAG, in lower case"},
    KnownWords{"no such host", StatusCode::kUnavailable,
               "the registry's name cannot be resolved: check the image's name and the network"},
    KnownWords{"connection refused", StatusCode::kUnavailable,
               "what the engine needs does not listen: check the registry's name, or the engine"},
    KnownWords{"i/o timeout", StatusCode::kUnavailable,
               "the registry does not answer: check the engine's network and proxy"},
    // Programs.
    KnownWords{"executable file not found", StatusCode::kInvalidArgument,
               "the image has no such program: check the service's command"},
    KnownWords{"no such file or directory: unknown", StatusCode::kInvalidArgument,
               "the image lacks the program, its loader, or its working directory"},
    KnownWords{"exec format error", StatusCode::kInvalidArgument,
               "the program is not made for this machine's processor"},
    KnownWords{"permission denied: unknown", StatusCode::kInvalidArgument,
               "the program may not be executed by the worker's user: check its mode"},
    KnownWords{"no command specified", StatusCode::kInvalidArgument,
               "the image has no command of its own: give the service a command"},
    KnownWords{"unable to find user", StatusCode::kInvalidArgument,
               "the image does not know that user"},
    // Limits.
    KnownWords{"minimum memory limit", StatusCode::kInvalidArgument,
               "raise the service's memory limit"},
    KnownWords{"range of cpus", StatusCode::kInvalidArgument,
               "the machine has fewer processors: lower the service's cpus"},
    // Volumes.
    KnownWords{
        "bind source path does not exist", StatusCode::kInvalidArgument,
        "the engine does not see that path: make it, or run GoComet on the engine's machine"},
    KnownWords{"duplicate mount point", StatusCode::kInvalidArgument,
               "two volumes have the same target"},
    KnownWords{"read-only file system", StatusCode::kInvalidArgument,
               "a volume's target must exist in the image, or its root must be writable"},
    // The engine itself.
    KnownWords{"no space left on device", StatusCode::kResourceExhausted,
               "make room: docker system df shows what takes it"},
    KnownWords{"cannot allocate memory", StatusCode::kResourceExhausted,
               "the engine's machine is out of memory"},
    KnownWords{"containerd.sock", StatusCode::kUnavailable,
               "containerd does not answer: start it, or look at the engine's log"},
    KnownWords{"context deadline exceeded", StatusCode::kUnavailable,
               "the engine waited in vain: look at its log"},
    KnownWords{"is marked for removal", StatusCode::kUnavailable, "it is going; try again"},
    KnownWords{"is already in progress", StatusCode::kUnavailable, "it is going; try again"},
    KnownWords{"http request to an https server", StatusCode::kFailedPrecondition,
               "the engine speaks TLS: set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the files"},
    KnownWords{"authorization denied by plugin", StatusCode::kPermissionDenied,
               "a plugin of the engine forbids it: ask who runs the engine"},
    KnownWords{"iptables", StatusCode::kUnavailable,
               "the engine's firewall rules are gone: restart the engine"},
};

const KnownWords* FindKnown(std::string_view message) {
  std::string lower(message);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto found = std::find_if(kKnown.begin(), kKnown.end(), [&](const KnownWords& known) {
    return lower.find(known.words) != std::string::npos;
  });
  return found == kKnown.end() ? nullptr : &*found;
}

StatusCode CodeOf(int http_status) {
  switch (http_status) {
    case 400:
      return StatusCode::kInvalidArgument;
    case 401:
    case 403:
      return StatusCode::kPermissionDenied;
    case 404:
      return StatusCode::kNotFound;
    case 409:
      return StatusCode::kAlreadyExists;
    case 429:
      return StatusCode::kResourceExhausted;
    case 503:
      return StatusCode::kUnavailable;
    default:
      return StatusCode::kInternal;
  }
}

absl::Status Explain(StatusCode code, const std::string& text, std::string_view message) {
  const KnownWords* known = FindKnown(message);
  if (known == nullptr) return absl::Status(code, text);
  return absl::Status(known->code, Cat(text, "; ", known->advice));
}

}  // namespace

std::string ParseEngineMessage(std::string_view body) {
  const auto json = ParseJson(body);
  if (json.ok()) {
    const auto message = TextOf(*json, "message");
    if (message.ok() && !message->empty()) return *message;
  }
  constexpr size_t kShownBytes = 300;
  return body.empty() ? "(without a word)" : std::string(body.substr(0, kShownBytes));
}

absl::Status ToStatus(int http_status, std::string_view body, std::string_view what) {
  const std::string message = ParseEngineMessage(body);
  return Explain(CodeOf(http_status),
                 Cat("cannot ", what, ": the Docker engine answers ", http_status, ": ", message),
                 message);
}

absl::Status ToStatusInStream(std::string_view message, std::string_view what) {
  return Explain(StatusCode::kInternal, Cat("cannot ", what, ": the Docker engine says: ", message),
                 message);
}

}  // namespace gocomet::controlplane
