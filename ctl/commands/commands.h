#pragma once

#include <functional>
#include <string>

#include "ctl/app/session.h"

namespace CLI {
class App;
}

// One function per verb family: it declares the verb's command line and, where the arguments name
// that verb, leaves in `action` what runs it. `session` and `action` outlive `app`'s parsing.
namespace gocomet::ctl {

using Action = std::function<int()>;

void AddStatusCommand(CLI::App& app, Session& session, Action& action);
void AddGetCommand(CLI::App& app, Session& session, Action& action);
void AddDescribeCommand(CLI::App& app, Session& session, Action& action);
void AddStatsCommand(CLI::App& app, Session& session, Action& action);
void AddEventsCommand(CLI::App& app, Session& session, Action& action);
void AddLogsCommand(CLI::App& app, Session& session, Action& action);
// apply, validate, plan, config, rollback
void AddConfigCommands(CLI::App& app, Session& session, Action& action);
void AddScaleCommand(CLI::App& app, Session& session, Action& action);
// restart, drain, undrain
void AddWorkerCommands(CLI::App& app, Session& session, Action& action);
// rollout restart, status, list, pause, resume, abort, undo
void AddRolloutCommands(CLI::App& app, Session& session, Action& action);
// token, whoami
void AddTokenCommands(CLI::App& app, Session& session, Action& action);
void AddVersionCommand(CLI::App& app, Session& session, Action& action);

std::string Version();

}  // namespace gocomet::ctl
