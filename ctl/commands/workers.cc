// The operator's verbs about running things: restart, drain, undrain.
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "common/base/text.h"
#include "ctl/app/exit_code.h"
#include "ctl/commands/commands.h"
#include "ctl/commands/resource.h"
#include "ctl/views/words.h"

namespace gocomet::ctl {
namespace {

using Words = std::vector<std::string>;

int RestartWorker(Session& session, const std::string& name) {
  const auto worker = session.control_plane().RestartWorker(name);
  if (!worker.ok()) return session.Fail(worker.status());
  const std::string shown = NameOf(Kind::kWorker, worker->name());
  return session.Show(*worker, shown, Cat(shown, " restarting\n"));
}

int RestartService(Session& session, const std::string& name) {
  v1::RestartServiceRequest request;
  request.set_name(name);
  request.set_author(session.user());
  const auto restarted = session.control_plane().RestartService(request);
  if (!restarted.ok()) return session.Fail(restarted.status());
  const std::string shown = NameOf(Kind::kService, restarted->service().name());
  return session.Show(
      *restarted, shown,
      Cat(shown, " restarting ", Count(restarted->service().status().workers(), "worker"), "\n"));
}

// A name alone is a worker's, as it is for drain and undrain.
Words WithKind(Words words) {
  const bool is_name = words[0].find('/') == std::string::npos && !ParseKind(words[0]);
  if (is_name) words.insert(words.begin(), std::string(KindName(Kind::kWorker)));
  return words;
}

int Restart(Session& session, const Words& words) {
  const auto resources = Resources::Parse(WithKind(words));
  if (!resources.ok()) return session.Fail(resources.status());
  const bool is_worker = resources->kind == Kind::kWorker;
  if (resources->names.empty() || (!is_worker && resources->kind != Kind::kService)) {
    return session.Fail(
        absl::InvalidArgumentError("restart: expected `worker NAME` or `service NAME`"));
  }
  for (const std::string& name : resources->names) {
    const int exit_code = is_worker ? RestartWorker(session, name) : RestartService(session, name);
    if (exit_code != kOk) return exit_code;
  }
  return kOk;
}

using WorkerVerb = absl::StatusOr<v1::Worker> (ControlPlane::*)(const std::string&);

int ForEachWorker(Session& session, const Words& words, WorkerVerb verb,
                  const std::function<std::string(const v1::Worker&)>& outcome) {
  for (const std::string& word : words) {
    const bool prefixed = word.starts_with("worker/");
    const auto worker =
        (session.control_plane().*verb)(prefixed ? word.substr(word.find('/') + 1) : word);
    if (!worker.ok()) return session.Fail(worker.status());
    const std::string shown = NameOf(Kind::kWorker, worker->name());
    session.Show(*worker, shown, Cat(shown, " ", outcome(*worker), "\n"));
  }
  return kOk;
}

std::string DrainOutcome(const v1::Worker& worker) {
  return Cat("draining (", worker.status().in_flight(), " in flight)");
}

std::string UndrainOutcome(const v1::Worker& worker) {
  return Cat("undrained (", WordOf(worker.status().state()), ")");
}

CLI::App* AddVerb(CLI::App& app, const char* name, const char* purpose, const char* argument,
                  const char* argument_purpose, const std::shared_ptr<Words>& words) {
  CLI::App* verb = app.add_subcommand(name, purpose);
  verb->add_option(argument, *words, argument_purpose)->required();
  return verb;
}

}  // namespace

void AddWorkerCommands(CLI::App& app, Session& session, Action& action) {
  auto words = std::make_shared<Words>();
  AddVerb(app, "restart", "Replaces workers by fresh ones without losing a request", "WHAT",
          "names of workers; service NAME for all of its workers; or KIND/NAME", words)
      ->callback([&session, &action, words] {
        action = [&session, words] { return Restart(session, *words); };
      });
  AddVerb(app, "drain", "Takes workers out of rotation and keeps them running", "WORKER",
          "names or ids", words)
      ->callback([&session, &action, words] {
        action = [&session, words] {
          return ForEachWorker(session, *words, &ControlPlane::DrainWorker, DrainOutcome);
        };
      });
  AddVerb(app, "undrain", "Puts drained workers back into rotation", "WORKER", "names or ids",
          words)
      ->callback([&session, &action, words] {
        action = [&session, words] {
          return ForEachWorker(session, *words, &ControlPlane::UndrainWorker, UndrainOutcome);
        };
      });
}

}  // namespace gocomet::ctl
