#include "controlplane/app/config_reload.h"

#include <utility>
#include <vector>

#include "common/base/text.h"

namespace gocomet::controlplane {

ConfigReload::ConfigReload(Cluster& cluster, std::string file, ProcessSettings running,
                           std::optional<FileWatch> watch)
    : cluster_(cluster), file_(std::move(file)), running_(std::move(running)), watch_(watch) {}

void ConfigReload::Look() {
  if (watch_ && watch_->Look(StampOf(file_))) Read();
}

void ConfigReload::Read() {
  ParsedConfig parsed;
  auto loaded = LoadConfigFile(file_, parsed);
  cluster_.mailbox().Post(
      [this, loaded = std::move(loaded), parsed = std::move(parsed)] { Take(loaded, parsed); });
}

void ConfigReload::Take(const absl::StatusOr<LoadedConfig>& loaded, const ParsedConfig& parsed) {
  EventLog& events = cluster_.events();
  const auto fail = [&events](std::string why) {
    events.Error("cluster", "ReloadFailed", std::move(why));
  };
  if (!loaded.ok()) return fail(std::string(MessageOf(loaded.status())));
  if (!loaded->exists) return fail(Cat("there is no ", loaded->path, "; what runs is kept"));
  std::vector<ConfigProblem> problems = parsed.problems;
  if (problems.empty()) problems = FindUnmetDemands(running_, cluster_.runtime(), parsed, file_);
  for (const ConfigProblem& problem : problems) fail(problem.ToString());
  if (!problems.empty()) return;
  for (const ConfigProblem& warning : parsed.warnings) {
    events.Warning("cluster", "ReloadWarning", warning.ToString());
  }
  ConfigChange change{loaded->file.config,
                      loaded->text,
                      0,
                      "gocomet-controlplane",
                      Cat("read again from ", loaded->path),
                      "file"};
  cluster_.desired_state().Change(
      std::move(change), [&events](const absl::StatusOr<ConfigChangeResult>& result) {
        if (!result.ok()) {
          events.Error("cluster", "ReloadFailed", std::string(MessageOf(result.status())));
        } else if (!result->changed) {
          events.Info("cluster", "ReloadUnchanged", "the file says what already runs");
        }
      });
}

}  // namespace gocomet::controlplane
