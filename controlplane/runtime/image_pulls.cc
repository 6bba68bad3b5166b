#include "controlplane/runtime/image_pulls.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/base/text.h"
#include "controlplane/runtime/docker_errors.h"
#include "controlplane/runtime/docker_messages.h"

namespace gocomet::controlplane {
namespace {

constexpr std::chrono::seconds kTellEvery{1};
constexpr size_t kGivenUpMax = 1000;

SteadyTime Now() { return std::chrono::steady_clock::now(); }

absl::Status Cancelled() {
  return absl::CancelledError("the control plane ends, and pulls no more images");
}

absl::Status NotWanted() {
  return absl::CancelledError("the worker is not wanted any more, and did not wait for its image");
}

std::string What(const std::string& image) { return Cat("pull the image ", image); }

}  // namespace

struct ImagePulls::Pull {
  struct Waiting {
    std::string instance;
    Done done;
  };
  std::string service;           // Who asked first.
  std::vector<Waiting> waiting;  // Guarded by mutex_.
  const SteadyTime began = Now();
  // Of the streams' thread.
  SteadyTime spoke = Now();
  SteadyTime told{};
  PullOutput output;
};

ImagePulls::ImagePulls(const EngineClient& engine, TaskQueue& queue, EngineStreams& streams,
                       std::chrono::milliseconds stall_max, Tell tell)
    : engine_(engine),
      queue_(queue),
      streams_(streams),
      stall_max_(stall_max),
      tell_(std::move(tell)) {}

bool ImagePulls::IsLate(const Pull& pull) const {
  return Now() - pull.spoke > stall_max_ || Now() - pull.began > kPullMax;
}

absl::StatusOr<bool> ImagePulls::Has(const std::string& image) const {
  // Its slashes are part of the path.
  const auto answer =
      engine_.Call("GET", Cat("/images/", image, "/json"), "", "", engine_.patience());
  if (!answer.ok()) return answer.status();
  if (answer->ok()) return true;
  if (answer->status == 404) return false;
  return ToStatus(answer->status, answer->body, Cat("look for the image ", image));
}

void ImagePulls::Ensure(const std::string& image, const std::string& service,
                        const std::string& instance, const Done& done) {
  const auto has = Has(image);
  if (!has.ok() || *has) return done(has.status());
  std::shared_ptr<Pull> begun;
  absl::Status refused;
  {
    const std::lock_guard hold(mutex_);
    if (cancelled_) {
      refused = Cancelled();
    } else if (std::find(given_up_.begin(), given_up_.end(), instance) != given_up_.end()) {
      refused = NotWanted();
    } else {
      std::shared_ptr<Pull>& pull = pulls_[image];
      if (pull == nullptr) {
        pull = begun = std::make_shared<Pull>();
        pull->service = service;
      }
      pull->waiting.push_back({instance, done});
    }
  }
  if (!refused.ok()) return done(refused);
  if (begun) Begin(image, begun);
}

void ImagePulls::Begin(const std::string& image, const std::shared_ptr<Pull>& pull) {
  tell_({pull->service, "ImagePulling", Cat("the engine has no image ", image, "; it is pulled")});
  const ImageReference reference = SplitImage(image);
  const auto path =
      engine_.Versioned(Cat("/images/create?fromImage=", PercentEncode(reference.name),
                            "&tag=", PercentEncode(reference.tag)),
                        engine_.patience());
  if (!path.ok()) return Finish(image, pull, path.status());
  // The engine says nothing, not even a status, until the registry has answered it.
  streams_.Open({.path = *path, .method = "POST", .what = What(image), .open_patience = stall_max_},
                {.wanted = [this, pull] { return !IsLate(*pull); },
                 .opened = [] {},
                 .data =
                     [this, image, pull](std::string_view bytes) {
                       pull->spoke = Now();
                       pull->output.Add(bytes);
                       TellProgress(image, *pull);
                     },
                 .ended = [this, image, pull](
                              absl::Status status) { OnEnded(image, pull, std::move(status)); }});
}

void ImagePulls::TellProgress(const std::string& image, Pull& pull) {
  if (Now() - pull.told < kTellEvery) return;
  pull.told = Now();
  tell_({pull.service, "", Cat("the image ", image, " is pulled: ", pull.output.Progress())});
}

void ImagePulls::OnEnded(const std::string& image, const std::shared_ptr<Pull>& pull,
                         absl::Status status) {
  if (!pull->output.error().empty()) {
    status = ToStatusInStream(pull->output.error(), What(image));
  } else if (absl::IsDeadlineExceeded(status) || (!status.ok() && IsLate(*pull))) {
    const std::string progress = pull->output.Progress();
    status = absl::DeadlineExceededError(
        Cat("cannot ", What(image), ": it makes no progress",
            progress.empty() ? "" : Cat(" (", progress, ")"),
            "; check the engine's network, or pull it by hand: docker pull ", image));
  }
  if (!status.ok()) return Finish(image, pull, status);
  // A pull that was cut off ends without an error of its own.
  queue_.Post([this, image, pull] {
    const auto has = Has(image);
    if (!has.ok() || *has) return Finish(image, pull, has.status());
    Finish(image, pull,
           absl::NotFoundError(Cat("the pull of the image ", image,
                                   " ended without it; look at the Docker engine's log")));
  });
}

void ImagePulls::Finish(const std::string& image, const std::shared_ptr<Pull>& pull,
                        const absl::Status& status) {
  std::vector<Pull::Waiting> waiting;
  {
    const std::lock_guard hold(mutex_);
    const auto found = pulls_.find(image);
    if (found == pulls_.end() || found->second != pull) return;  // Cancelled.
    waiting.swap(pull->waiting);
    pulls_.erase(found);
  }
  if (status.ok()) {
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Now() - pull->began);
    tell_({pull->service, "ImagePulled",
           Cat("the image ", image, " is there, after ", took.count(), " ms")});
  }
  for (const Pull::Waiting& each : waiting) each.done(status);
}

void ImagePulls::GiveUp(const std::string& instance) {
  std::vector<Pull::Waiting> waiting;
  {
    const std::lock_guard hold(mutex_);
    given_up_.push_back(instance);
    if (given_up_.size() > kGivenUpMax) given_up_.pop_front();
    for (auto& [image, pull] : pulls_) {
      const auto others = std::stable_partition(
          pull->waiting.begin(), pull->waiting.end(),
          [&](const Pull::Waiting& each) { return each.instance != instance; });
      std::move(others, pull->waiting.end(), std::back_inserter(waiting));
      pull->waiting.erase(others, pull->waiting.end());
    }
  }
  for (const Pull::Waiting& each : waiting) each.done(NotWanted());
}

void ImagePulls::Cancel() {
  std::map<std::string, std::shared_ptr<Pull>> pulls;
  std::vector<Pull::Waiting> waiting;
  {
    const std::lock_guard hold(mutex_);
    cancelled_ = true;
    pulls.swap(pulls_);
    for (auto& [image, pull] : pulls) {
      std::move(pull->waiting.begin(), pull->waiting.end(), std::back_inserter(waiting));
    }
  }
  for (const Pull::Waiting& each : waiting) each.done(Cancelled());
}

}  // namespace gocomet::controlplane
