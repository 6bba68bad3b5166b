#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "common/base/text.h"
#include "ctl/app/exit_code.h"
#include "ctl/commands/commands.h"
#include "ctl/output/display_width.h"
#include "ctl/output/yaml.h"

namespace gocomet::ctl {
namespace {

// The client's version is the answer; a control plane that cannot be asked is a part of it.
int ShowVersion(Session& session, bool client_only) {
  nlohmann::ordered_json versions = {{"client", Version()}};
  std::string text = Cat("gocometctl ", Version(), "\n");
  if (!client_only) {
    const auto status = session.control_plane().GetStatus();
    versions["server"] = status.ok() ? nlohmann::ordered_json(OneLine(status->version())) : nullptr;
    text += status.ok() ? Cat("gocomet-controlplane ", OneLine(status->version()), " at ",
                              session.server(), "\n")
                        : Cat("no control plane answers at ", session.server(), "\n");
  }
  if (session.form() == OutputForm::kJson) {
    session.Print(versions.dump(2) + "\n");
  } else if (session.form() == OutputForm::kYaml) {
    session.Print(JsonToYaml(versions));
  } else {
    session.Print(text);
  }
  return kOk;
}

}  // namespace

std::string Version() { return GOCOMET_VERSION; }

void AddVersionCommand(CLI::App& app, Session& session, Action& action) {
  auto client_only = std::make_shared<bool>(false);
  CLI::App* version =
      app.add_subcommand("version", "Shows the versions of client and control plane");
  version->add_flag("--client", *client_only, "ask no control plane");
  version->callback([&session, &action, client_only] {
    action = [&session, client_only] { return ShowVersion(session, *client_only); };
  });
}

}  // namespace gocomet::ctl
