#include "simulated_engine.h"

#include <algorithm>

#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

using Json = nlohmann::json;

constexpr size_t kIdDigits = 64;
constexpr int kSigkillStatus = 137;

std::string Message(const std::string& text) { return Json{{"message", text}}.dump(); }

std::string Decode(const std::string& text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      decoded.push_back(static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16)));
      i += 2;
    } else {
      decoded.push_back(text[i]);
    }
  }
  return decoded;
}

// The value in the query of a target, "" where there is none.
std::string InQuery(const std::string& target, const std::string& key) {
  const size_t query = target.find('?');
  if (query == std::string::npos) return "";
  const std::string text = "&" + target.substr(query + 1);
  const size_t at = text.find(Cat("&", key, "="));
  if (at == std::string::npos) return "";
  const size_t begin = at + key.size() + 2;
  return Decode(text.substr(begin, text.find('&', begin) - begin));
}

// `x` of /containers/x/start.
std::string IdIn(const std::string& target) {
  const size_t begin = target.find('/', 1) + 1;
  return Decode(target.substr(begin, target.find_first_of("/?", begin) - begin));
}

std::string Now() { return "2024-05-06T07:08:09.5Z"; }

bool Runs(const std::string& status) { return status == "running" || status == "paused"; }

}  // namespace

SimulatedEngine::Trouble SimulatedEngine::Refuses(int status, const std::string& message) {
  return {{status, Message(message)}};
}

SimulatedEngine::SimulatedEngine(FakeEngine::Transport transport)
    : wire_(
          std::make_unique<FakeEngine>([this](const Request& r) { return Handle(r); }, transport)) {
  wire_->AnswerVersion("");  // Handled here, so that it can go wrong.
}

SimulatedEngine::SimulatedEngine(const TestCertificates& certificates)
    : wire_(std::make_unique<FakeEngine>([this](const Request& r) { return Handle(r); },
                                         certificates)) {
  wire_->AnswerVersion("");
}

void SimulatedEngine::Inject(Call call, const Trouble& trouble, int count, int after) {
  const std::lock_guard hold(mutex_);
  orders_[call] = {trouble, after, count};
}

void SimulatedEngine::Heal(Call call) {
  const std::lock_guard hold(mutex_);
  orders_.erase(call);
}

std::optional<SimulatedEngine::Trouble> SimulatedEngine::TakeTrouble(Call call) {
  ++calls_[call];
  const auto found = orders_.find(call);
  if (found == orders_.end()) return std::nullopt;
  Order& order = found->second;
  if (order.after > 0) {
    --order.after;
    return std::nullopt;
  }
  if (order.count == 0) return std::nullopt;
  if (order.count > 0) --order.count;
  return order.trouble;
}

std::optional<SimulatedEngine::Call> SimulatedEngine::KindOf(const Request& request) {
  const auto ends = [&](const std::string& end) {
    const std::string path = request.target.substr(0, request.target.find('?'));
    return path.size() >= end.size() && path.ends_with(end);
  };
  if (request.Is("GET", "/version")) return Call::kVersion;
  if (request.Is("GET", "/events")) return Call::kEvents;
  if (request.Is("GET", "/images/")) return Call::kLookForImage;
  if (request.Is("POST", "/images/create")) return Call::kPull;
  if (request.Is("POST", "/build")) return Call::kBuild;
  if (request.Is("POST", "/containers/create")) return Call::kCreate;
  if (request.Is("GET", "/containers/json")) return Call::kList;
  if (request.Is("DELETE", "/containers/")) return Call::kRemove;
  if (request.Is("POST", "/containers/") && ends("/start")) return Call::kStart;
  if (request.Is("POST", "/containers/") && ends("/kill")) return Call::kKill;
  if (request.Is("GET", "/containers/") && ends("/json")) return Call::kInspect;
  if (request.Is("GET", "/containers/") && ends("/logs")) return Call::kLogs;
  return std::nullopt;
}

FakeEngine::Answer SimulatedEngine::Handle(const Request& request) {
  const std::lock_guard hold(mutex_);
  const auto call = KindOf(request);
  if (!call) return {404, Message("page not found")};
  const auto trouble = TakeTrouble(*call);
  if (!trouble) return Perform(*call, request);
  if (!trouble->takes_effect) return trouble->answer;
  Answer own = Perform(*call, request);
  own.delay = trouble->answer.delay;
  return trouble->keeps_answer ? own : trouble->answer;
}

FakeEngine::Answer SimulatedEngine::Perform(Call call, const Request& request) {
  switch (call) {
    case Call::kVersion:
      return {200, R"({"Version":"20.10.24","ApiVersion":"1.41","MinAPIVersion":"1.12"})"};
    case Call::kCreate:
      return Create(request);
    case Call::kStart:
      return Start(request);
    case Call::kKill:
      return Kill(request);
    case Call::kInspect:
      return Inspect(request);
    case Call::kList:
      return List(request);
    case Call::kRemove:
      return Remove(request);
    case Call::kLogs:
      return {200, ""};
    case Call::kEvents:
      return Events();
    case Call::kLookForImage: {
      const std::string name = Decode(request.target.substr(8, request.target.size() - 8 - 5));
      if (images_.contains(name)) return {200, Json{{"Id", "sha256:1"}}.dump()};
      return {404, Message("No such image: " + name)};
    }
    case Call::kBuild:
      return Build(request);
    case Call::kPull:
      return Pull(request);
  }
  return {500, ""};
}

FakeEngine::Answer SimulatedEngine::Create(const Request& request) {
  const Json body = Json::parse(request.body, nullptr, false);
  if (!body.is_object()) return {400, Message("invalid JSON")};
  const std::string name = InQuery(request.target, "name");
  const std::string image = body.value("Image", "");
  if (!images_.contains(image)) return {404, Message("No such image: " + image)};
  if (const Container* holder = Find(name)) {
    return {409, Message(Cat("Conflict. The container name \"/", name,
                             "\" is already in use by container \"", holder->view.id,
                             "\". You have to remove (or rename) that container to be able to "
                             "reuse that name."))};
  }
  std::string id = std::to_string(next_id_++);
  id = std::string(12 - id.size(), 'a') + id + std::string(kIdDigits - 12, '0');
  Container& container = containers_[id];
  container.name = name;
  container.view.id = id;
  container.view.status = "created";
  container.view.created_with = body;
  return {201, Json{{"Id", id}, {"Warnings", nullptr}}.dump()};
}

FakeEngine::Answer SimulatedEngine::Start(const Request& request) {
  Container* container = Find(IdIn(request.target));
  if (container == nullptr) return {404, Message("No such container")};
  if (container->view.status == "running") return {304, ""};
  const Json& bindings = container->view.created_with["HostConfig"]["PortBindings"];
  for (const auto& [id, other] : containers_) {
    if (id == container->view.id || !Runs(other.view.status)) continue;
    if (other.view.created_with["HostConfig"]["PortBindings"] == bindings) {
      return {500, Message("driver failed programming external connectivity on endpoint " +
                           container->name +
                           ": Bind for 127.0.0.1 failed: port is already "
                           "allocated")};
    }
  }
  Run(*container);
  return {204, ""};
}

FakeEngine::Answer SimulatedEngine::Kill(const Request& request) {
  Container* container = Find(IdIn(request.target));
  if (container == nullptr) return {404, Message("No such container")};
  if (!Runs(container->view.status)) {
    return {409, Message(Cat("Cannot kill container: ", container->view.id, " is not running"))};
  }
  const std::string signal = InQuery(request.target, "signal");
  container->view.signals.push_back(signal);
  if (signal == "SIGKILL") {
    End(*container, kSigkillStatus);
  } else if (!ignores_sigterm_ && container->view.status == "running") {
    End(*container, 0);
  }
  return {204, ""};
}

FakeEngine::Answer SimulatedEngine::Inspect(const Request& request) const {
  const Container* container = Find(IdIn(request.target));
  if (container == nullptr) return {404, Message("No such container")};
  const ContainerView& view = container->view;
  const bool runs = Runs(view.status);
  return {200, Json{{"Id", view.id},
                    {"Name", "/" + container->name},
                    {"Created", Now()},
                    {"State",
                     {{"Status", view.status},
                      {"Running", runs},
                      {"Paused", view.status == "paused"},
                      {"Pid", runs ? next_pid_ : 0},
                      {"ExitCode", container->exit_code},
                      {"OOMKilled", container->out_of_memory},
                      {"Error", ""},
                      {"StartedAt", container->started_at},
                      {"FinishedAt", container->finished_at}}},
                    {"Config",
                     {{"Image", view.created_with.value("Image", "")},
                      {"StopSignal", view.created_with.value("StopSignal", "")},
                      {"Labels", view.created_with.value("Labels", Json::object())}}},
                    {"HostConfig", view.created_with.value("HostConfig", Json::object())},
                    {"NetworkSettings", {{"IPAddress", runs ? container->ip : ""}}}}
                   .dump()};
}

FakeEngine::Answer SimulatedEngine::List(const Request& request) const {
  const Json filters = Json::parse(InQuery(request.target, "filters"), nullptr, false);
  Json list = Json::array();
  for (const auto& [id, container] : containers_) {
    const Json labels = container.view.created_with.value("Labels", Json::object());
    bool matches = true;
    for (const auto& wanted : filters.value("label", Json::array())) {
      const std::string text = wanted.get<std::string>();
      const size_t equals = text.find('=');
      matches = matches && labels.value(text.substr(0, equals), "") == text.substr(equals + 1);
    }
    if (matches) list.push_back({{"Id", id}, {"Labels", labels}, {"State", container.view.status}});
  }
  return {200, list.dump()};
}

FakeEngine::Answer SimulatedEngine::Remove(const Request& request) {
  Container* container = Find(IdIn(request.target));
  if (container == nullptr) return {404, Message("No such container")};
  Emit("destroy", *container);
  containers_.erase(container->view.id);
  return {204, ""};
}

FakeEngine::Answer SimulatedEngine::Events() {
  Answer answer{200, "", Answer::Fault::kStreamUntilRelease};
  answer.more = [this, told = events_.size()]() mutable {
    const std::lock_guard hold(mutex_);
    std::string text;
    for (; told < events_.size(); ++told) text += events_[told] + "\n";
    return text;
  };
  return answer;
}

FakeEngine::Answer SimulatedEngine::Build(const Request& request) {
  images_.insert(InQuery(request.target, "t"));
  return {200, "{\"stream\":\"Successfully built\"}\r\n"};
}

FakeEngine::Answer SimulatedEngine::Pull(const Request& request) {
  const std::string from = InQuery(request.target, "fromImage");
  const std::string tag = InQuery(request.target, "tag");
  const std::string name =
      tag.empty() ? from : Cat(from, tag.starts_with("sha256:") ? "@" : ":", tag);
  if (!offered_.contains(name)) {
    return {404, Message(Cat("pull access denied for ", from,
                             ", repository does not exist or may require 'docker login'"))};
  }
  images_.insert(name);
  return {200, "{\"status\":\"Pulling from library\"}\r\n{\"status\":\"Download complete\"}\r\n"};
}

const SimulatedEngine::Container* SimulatedEngine::Find(const std::string& id_or_name) const {
  for (const auto& [id, container] : containers_) {
    if (id == id_or_name || container.name == id_or_name ||
        (id_or_name.size() >= 12 && id.starts_with(id_or_name))) {
      return &container;
    }
  }
  return nullptr;
}

SimulatedEngine::Container* SimulatedEngine::Find(const std::string& id_or_name) {
  return const_cast<Container*>(std::as_const(*this).Find(id_or_name));
}

SimulatedEngine::Container& SimulatedEngine::Named(const std::string& name) {
  static Container none;
  Container* found = Find(name);
  EXPECT_NE(found, nullptr) << "the engine has no container " << name;
  return found == nullptr ? none : *found;
}

void SimulatedEngine::Run(Container& container) {
  container.view.status = "running";
  ++container.view.starts;
  ++next_pid_;
  container.ip = Cat("172.17.0.", next_pid_ % 250 + 2);
  container.started_at = Cat("2024-05-06T07:", 10 + container.view.starts % 50, ":09Z");
  Emit("start", container);
}

void SimulatedEngine::End(Container& container, int exit_code) {
  container.view.status = "exited";
  container.exit_code = exit_code;
  container.finished_at = Now();
  Emit("die", container);
}

void SimulatedEngine::Emit(const std::string& action, const Container& container) {
  events_.push_back(
      Json{{"Type", "container"}, {"Action", action}, {"Actor", {{"ID", container.view.id}}}}
          .dump());
}

void SimulatedEngine::StopByHand(const std::string& name, int exit_code, bool out_of_memory) {
  const std::lock_guard hold(mutex_);
  Container& container = Named(name);
  container.out_of_memory = out_of_memory;
  End(container, exit_code);
}

void SimulatedEngine::RemoveByHand(const std::string& name) {
  const std::lock_guard hold(mutex_);
  Container& container = Named(name);
  Emit("die", container);
  Emit("destroy", container);
  containers_.erase(container.view.id);
}

void SimulatedEngine::PauseByHand(const std::string& name) {
  const std::lock_guard hold(mutex_);
  Named(name).view.status = "paused";
  Emit("pause", Named(name));
}

void SimulatedEngine::UnpauseByHand(const std::string& name) {
  const std::lock_guard hold(mutex_);
  Named(name).view.status = "running";
  Emit("unpause", Named(name));
}

void SimulatedEngine::RestartByHand(const std::string& name) {
  const std::lock_guard hold(mutex_);
  End(Named(name), 0);
  Run(Named(name));
}

void SimulatedEngine::MakeStranger(const std::string& name) {
  const std::lock_guard hold(mutex_);
  const std::string id = std::string(12, 'e') + std::string(kIdDigits - 12, '0');
  Container& container = containers_[id];
  container.name = name;
  container.view.id = id;
  container.view.status = "running";
  container.view.created_with = {{"Image", "stranger"}};
}

void SimulatedEngine::ComeUp(After containers) {
  {
    const std::lock_guard hold(mutex_);
    if (containers == After::kGone) containers_.clear();
    for (auto& [id, container] : containers_) {
      if (containers == After::kEnded && Runs(container.view.status)) End(container, 0);
    }
  }
  wire_->ComeUp();
}

void SimulatedEngine::AddImage(const std::string& name) {
  const std::lock_guard hold(mutex_);
  images_.insert(name);
}

void SimulatedEngine::RemoveImage(const std::string& name) {
  const std::lock_guard hold(mutex_);
  images_.erase(name);
}

void SimulatedEngine::OfferImage(const std::string& name) {
  const std::lock_guard hold(mutex_);
  offered_.insert(name);
}

std::map<std::string, SimulatedEngine::ContainerView> SimulatedEngine::containers() const {
  const std::lock_guard hold(mutex_);
  std::map<std::string, ContainerView> views;
  for (const auto& [id, container] : containers_) views[container.name] = container.view;
  return views;
}

int SimulatedEngine::CallsOf(Call call) const {
  const std::lock_guard hold(mutex_);
  const auto found = calls_.find(call);
  return found == calls_.end() ? 0 : found->second;
}

}  // namespace gocomet::controlplane
