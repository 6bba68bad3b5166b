#include "controlplane/rollout/template_hash.h"

#include <string_view>

#include "common/base/sha256_hex.h"
#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

// Lengths keep two different lists of fields from giving the same text.
class CanonicalText {
 public:
  void Add(std::string_view name, std::string_view value) {
    text_ += Cat(name.size(), ":", name, "=", value.size(), ":", value, "\n");
  }
  void Add(std::string_view name, uint64_t value) { Add(name, std::string_view(Cat(value))); }
  void Add(std::string_view name, bool value) { Add(name, value ? "true" : "false"); }
  void Add(std::string_view name, const char* value) { Add(name, std::string_view(value)); }
  template <typename Values>
  void AddEach(std::string_view name, const Values& values) {
    for (const std::string& value : values) Add(name, value);
  }
  std::string Hash() const { return Sha256Hex(text_); }

 private:
  std::string text_;
};

void AddWorkload(const Workload& workload, CanonicalText& text) {
  text.Add("image", workload.image);
  text.AddEach("command", workload.command);
  text.Add("working-directory", workload.working_directory);
  text.Add("container-port", uint64_t{workload.container_port});
  for (const auto& [name, value] : workload.environment) {
    text.Add("environment", name);
    text.Add("value", value);
  }
  text.AddEach("environment-file", workload.environment_files);
  for (const Volume& volume : workload.volumes) {
    text.Add("volume", volume.source);
    text.Add("target", volume.target);
    text.Add("read-only", volume.read_only);
  }
  text.Add("memory", workload.resources.memory_bytes);
  text.Add("millicpus", uint64_t{workload.resources.millicpus});
  text.Add("pids", uint64_t{workload.resources.pids});
  text.Add("read-only-root", workload.read_only_root);
  text.AddEach("capability", workload.capabilities);
  text.Add("user", workload.user);
  text.Add("stop-signal", workload.stop_signal);
}

}  // namespace

std::string TemplateHash(const Service& service, const TemplateContext& context) {
  CanonicalText text;
  if (!service.workload.endpoints.empty()) {  // Each is what its address is.
    text.Add("endpoints", "run by others");
    return text.Hash();
  }
  text.Add("runtime", ToString(context.runtime));
  text.Add("bind-address", service.bind_address);
  text.Add("generation", context.generation);
  // What others run is where it is; there is nothing of it to start anew.
  if (context.runtime == RuntimeKind::kExternal) return text.Hash();
  AddWorkload(service.workload, text);
  if (service.workload.is_demo()) text.Add("program", context.worker_program);
  return text.Hash();
}

}  // namespace gocomet::controlplane
