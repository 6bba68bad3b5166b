// Who may call the control plane: token create, list and delete, and whoami.
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "common/base/duration_text.h"
#include "common/base/text.h"
#include "ctl/app/exit_code.h"
#include "ctl/commands/commands.h"
#include "ctl/output/display_width.h"
#include "ctl/views/tables.h"
#include "ctl/views/words.h"

namespace gocomet::ctl {
namespace {

struct CreateOptions {
  std::string name;
  std::string role;
  std::string expires;
};

std::string NameOfToken(const v1::Token& token) { return Cat("token/", OneLine(token.name())); }

absl::StatusOr<v1::Role> ParseRole(const std::string& word) {
  if (word == "viewer") return v1::ROLE_VIEWER;
  if (word == "operator") return v1::ROLE_OPERATOR;
  if (word == "admin") return v1::ROLE_ADMIN;
  return absl::InvalidArgumentError(Cat("--role '", word, "': expected viewer, operator or admin"));
}

int Create(Session& session, const CreateOptions& options) {
  v1::CreateTokenRequest request;
  request.set_name(options.name);
  request.set_author(session.user());
  const auto role = ParseRole(options.role);
  if (!role.ok()) return session.Fail(role.status());
  request.set_role(*role);
  if (!options.expires.empty()) {
    const auto lifetime = ParseDuration(options.expires);
    if (!lifetime.ok()) return session.Fail(WithContext(lifetime.status(), "--expires-in"));
    request.mutable_lifetime()->set_seconds(
        std::chrono::floor<std::chrono::seconds>(*lifetime).count());
  }
  const auto created = session.control_plane().CreateToken(request);
  if (!created.ok()) return session.Fail(created.status());
  // The token alone goes to standard output, so that it can go on into a file.
  if (session.is_for_people()) {
    session.Note(
        Cat(NameOfToken(created->token()), " created; keep it now, it is not shown again"));
  }
  return session.Show(*created, NameOfToken(created->token()),
                      Cat(OneLine(created->secret()), "\n"));
}

int List(Session& session) {
  const auto list = session.control_plane().ListTokens();
  if (!list.ok()) return session.Fail(list.status());
  std::vector<std::string> names;
  for (const v1::Token& token : list->tokens()) names.push_back(NameOfToken(token));
  return session.Show(
      {*list, std::move(names), [&](bool wide) { return TokenTable(*list, session.now(), wide); }});
}

int Delete(Session& session, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    v1::DeleteTokenRequest request;
    request.set_name(word.starts_with("token/") ? word.substr(word.find('/') + 1) : word);
    request.set_author(session.user());
    const auto deleted = session.control_plane().DeleteToken(request);
    if (!deleted.ok()) return session.Fail(deleted.status());
    const std::string name = NameOfToken(deleted->token());
    session.Show(*deleted, name, Cat(name, " deleted\n"));
  }
  return kOk;
}

int WhoAmI(Session& session) {
  const auto who = session.control_plane().WhoAmI();
  if (!who.ok()) return session.Fail(who.status());
  const bool is_known = who->role() != v1::ROLE_UNSPECIFIED;
  const std::string name = who->name().empty() ? "nobody in particular" : OneLine(who->name());
  return session.Show(
      *who, name, Cat(name, is_known ? Cat(" (", RoleWord(who->role()), ")") : " (no role)", "\n"));
}

}  // namespace

void AddTokenCommands(CLI::App& app, Session& session, Action& action) {
  CLI::App* token = app.add_subcommand("token", "Makes, lists and deletes tokens");
  token->require_subcommand(1);

  auto options = std::make_shared<CreateOptions>();
  CLI::App* create = token->add_subcommand("create", "Makes a token and prints it, once");
  create->add_option("NAME", options->name, "whom it is for, such as ci")->required();
  create->add_option("--role", options->role, "viewer, operator or admin")->required();
  create->add_option("--expires-in", options->expires,
                     "how long it is good for, such as 24h [for ever]");
  create->callback([&session, &action, options] {
    action = [&session, options] { return Create(session, *options); };
  });

  token->add_subcommand("list", "Lists tokens, not what they are")->callback([&session, &action] {
    action = [&session] { return List(session); };
  });

  auto names = std::make_shared<std::vector<std::string>>();
  CLI::App* remove =
      token->add_subcommand("delete", "Lets nobody in with a token any more, from now on");
  remove->add_option("NAME", *names, "names of tokens")->required();
  remove->callback([&session, &action, names] {
    action = [&session, names] { return Delete(session, *names); };
  });

  app.add_subcommand("whoami", "Shows whom the control plane takes you for, and your role")
      ->callback([&session, &action] { action = [&session] { return WhoAmI(session); }; });
}

}  // namespace gocomet::ctl
