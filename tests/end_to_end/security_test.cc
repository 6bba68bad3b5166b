// Who gets in and who does not: TLS, certificates, tokens and limits, as people and scripts meet
// them.
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "tests/end_to_end/authority.h"
#include "tests/end_to_end/http_client.h"
#include "tests/end_to_end/system.h"

namespace gocomet::testing {
namespace {

using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Property;

// The token that `gocometctl token create` prints beside what it says.
std::string TokenIn(const std::string& output) {
  const size_t start = output.find("gocomet_");
  return start == std::string::npos ? "" : output.substr(start, output.find('\n', start) - start);
}

std::string WriteTo(const std::string& path, const std::string& content) {
  std::ofstream(path) << content;
  return path;
}

// Subject and message of each, on a line.
std::vector<std::string> EventsOf(const System& system, const std::string& kind) {
  std::vector<std::string> lines;
  for (const v1::Event& event : system.Events()) {
    if (event.kind() == kind) lines.push_back(Cat(event.subject(), " ", event.message()));
  }
  return lines;
}

bool WaitForEvent(const System& system, const std::string& kind, const std::string& text) {
  return WaitUntil([&] {
    const std::vector<std::string> events = EventsOf(system, kind);
    return std::any_of(events.begin(), events.end(), [&](const std::string& event) {
      return event.find(text) != std::string::npos;
    });
  });
}

class Tls : public ::testing::Test {
 protected:
  Tls() : authority_(system_.directory(), "ca") {
    authority_.Issue("server", "/CN=control plane");
    system_.keys["worker"] = "1";
    system_.keys["pool"] = "1";
    system_.control_plane_keys =
        "  tls:\n    certificate: server.pem\n    key: server-key.pem\n    client-ca: ca.pem\n";
    system_.SpeakTls(authority_.file());
  }

  // As somebody without the admin's token: with what the arguments present and nothing else.
  CommandResult CtlAs(const std::string& name, std::vector<std::string> arguments) {
    std::vector<std::string> all = {"--tls-certificate", authority_.FileOf(name), "--tls-key",
                                    authority_.KeyOf(name)};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return system_.Ctl(all);
  }

  // What the control plane's certificate says whom it is for, by a new connection.
  std::string SubjectSeen(const std::string& address) {
    const CommandResult seen = RunCommand(
        {"/bin/sh", "-c",
         Cat("openssl s_client -connect ", address, " </dev/null 2>/dev/null | grep ^subject")});
    return seen.output;
  }

  System system_{"process"};
  Authority authority_;
};

TEST_F(Tls, ServesTheLocalAdminWithoutAnOptionForTheToken) {
  ASSERT_TRUE(system_.Start().ok()) << system_.output();
  const CommandResult who = system_.Ctl({"whoami"});
  EXPECT_EQ(who.output, "local-admin (admin)\n");
  const CommandResult scaled = system_.Ctl({"scale", "worker", "2"});
  EXPECT_EQ(scaled.exit_code, 0) << scaled.output;
}

TEST_F(Tls, IsNotTrustedWhereAnotherAuthorityIsNamed) {
  ASSERT_TRUE(system_.Start().ok()) << system_.output();
  const Authority stranger(system_.directory(), "stranger");
  const CommandResult run = RunCommand({Program("gocometctl"), "--server", system_.grpc_address(),
                                        "--tls-ca", stranger.file(), "status"});
  EXPECT_EQ(run.exit_code, 8) << run.output;
  EXPECT_THAT(run.output, AllOf(HasSubstr("cannot be trusted"), HasSubstr("--tls-ca")));
}

TEST_F(Tls, AnswersNothingInTheClearAndGocometctlSaysWhatToDo) {
  ASSERT_TRUE(system_.Start().ok()) << system_.output();
  const CommandResult run =
      RunCommand({Program("gocometctl"), "--server", system_.grpc_address(), "status"});
  EXPECT_EQ(run.exit_code, 8) << run.output;
  EXPECT_THAT(run.output, HasSubstr("where it speaks TLS, name its authority with --tls-ca"));
  EXPECT_FALSE(HttpGet(system_.http_port(), "/healthz").ok());
}

TEST_F(Tls, ServesHealthOverHttpsWithoutAToken) {
  ASSERT_TRUE(system_.Start().ok()) << system_.output();
  const std::string script =
      Cat("import ssl, urllib.request\n"
          "context = ssl.create_default_context(cafile='",
          authority_.file(),
          "')\n"
          "for path in ('healthz', 'readyz'):\n"
          "    url = f'https://",
          system_.http_address(),
          "/{path}'\n"
          "    print(urllib.request.urlopen(url, timeout=5, context=context).read().decode(), "
          "end='')\n");
  const CommandResult run = RunCommand({GOCOMET_PYTHON, "-c", script});
  EXPECT_EQ(run.output, "ok\nready\n");
}

TEST_F(Tls, ServesPythonWithATokenAsItIsDocumented) {
  ASSERT_TRUE(system_.Start().ok()) << system_.output();
  const std::string stubs = system_.directory() + "/stubs";
  ASSERT_EQ(RunCommand({Cat(GOCOMET_SOURCE, "/docs/examples/python-stubs.sh"), stubs}).exit_code,
            0);
  const auto run = [&](const std::string& token) {
    return RunCommand(
        {"/usr/bin/env", Cat("PYTHONPATH=", stubs), "PYTHONDONTWRITEBYTECODE=1",
         Cat("GOCOMET_TOKEN=", token), GOCOMET_PYTHON,
         Cat(GOCOMET_SOURCE, "/docs/examples/apply_and_watch.py"), system_.config_file(),
         "--server", system_.grpc_address(), "--tls-ca", authority_.file()},
        seconds(60));
  };
  const std::string admin =
      TokenIn(system_.Ctl({"token", "create", "deploy", "--role", "admin"}).output);
  const CommandResult applied = run(admin);
  EXPECT_EQ(applied.exit_code, 0) << applied.output;
  EXPECT_THAT(applied.output, HasSubstr("1 of 1 workers are ready\n"));

  const std::string viewer =
      TokenIn(system_.Ctl({"token", "create", "screen", "--role", "viewer"}).output);
  const CommandResult refused = run(viewer);
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output,
              HasSubstr("PERMISSION_DENIED: ConfigService/GetConfig takes the role operator"));
}

TEST_F(Tls, TakesACertificateInPlaceOfATokenWithTheRoleThatItNames) {
  authority_.Issue("ada", "/O=Example/O=gocomet:operator/CN=ada");
  ASSERT_TRUE(system_.Start().ok()) << system_.output();

  EXPECT_EQ(CtlAs("ada", {"whoami"}).output, "ada (operator)\n");
  const CommandResult scaled = CtlAs("ada", {"scale", "worker", "2", "--reason", "more of them"});
  EXPECT_EQ(scaled.exit_code, 0) << scaled.output;
  const CommandResult applied = CtlAs("ada", {"apply", "-f", system_.config_file()});
  EXPECT_EQ(applied.exit_code, 9) << applied.output;
  EXPECT_THAT(applied.output, HasSubstr("ApplyConfig takes the role admin, and the certificate of "
                                        "'ada' is an operator"));

  EXPECT_TRUE(WaitForEvent(system_, "Audit", "certificate/ada ServiceService/ScaleService"));
  EXPECT_TRUE(WaitForEvent(system_, "AccessDenied", "certificate/ada ConfigService/ApplyConfig"));
  EXPECT_THAT(system_.Ctl({"get", "revisions", "-o", "wide"}).output,
              AllOf(HasSubstr("certificate/ada"), HasSubstr("more of them")));
}

TEST_F(Tls, ACertificateWithoutARoleLetsNobodyIn) {
  authority_.Issue("bob", "/O=gocomet:root/CN=bob");
  ASSERT_TRUE(system_.Start().ok()) << system_.output();
  EXPECT_EQ(CtlAs("bob", {"whoami"}).output, "bob (no role)\n");
  const CommandResult status = CtlAs("bob", {"status"});
  EXPECT_EQ(status.exit_code, 9) << status.output;
  EXPECT_THAT(status.output, HasSubstr("an organization (O) `gocomet:viewer`"));
}

TEST_F(Tls, ACertificateOfAnotherAuthorityIsRefused) {
  std::filesystem::create_directory(system_.directory() + "/elsewhere");
  const Authority stranger(system_.directory() + "/elsewhere", "ca");
  stranger.Issue("eve", "/O=gocomet:admin/CN=eve");
  ASSERT_TRUE(system_.Start().ok()) << system_.output();
  const CommandResult run = system_.Ctl(
      {"--tls-certificate", stranger.FileOf("eve"), "--tls-key", stranger.KeyOf("eve"), "status"});
  EXPECT_EQ(run.exit_code, 8) << run.output;
}

TEST_F(Tls, WithoutATokenOrCertificateNothingIsShown) {
  ASSERT_TRUE(system_.Start().ok()) << system_.output();
  grpc::ClientContext context;
  v1::ListWorkersResponse response;
  const grpc::Status status =
      system_.NewStub<v1::WorkerService>()->ListWorkers(&context, {}, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED) << status.error_message();
}

TEST_F(Tls, LetsTheControlPlaneListenOnEveryAddress) {
  // One address of loopback stands for another machine's view.
  std::string everywhere = system_.ConfigText();
  const std::string grpc = system_.grpc_address();
  everywhere.replace(everywhere.find(grpc), grpc.size(), Cat("0.0.0.0:", grpc.substr(10)));
  const std::string config = WriteTo(system_.directory() + "/open.yaml", everywhere);
  const CommandResult check =
      RunCommand({Program("gocomet-controlplane"), "--config", config, "--check"});
  EXPECT_EQ(check.exit_code, 0) << check.output;

  const size_t tls = everywhere.find("  tls:");
  const std::string bare = WriteTo(system_.directory() + "/bare.yaml", everywhere.substr(0, tls));
  const CommandResult refused =
      RunCommand({Program("gocomet-controlplane"), "--config", bare}, seconds(20));
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.output, AllOf(HasSubstr("can be reached from other machines"),
                                    HasSubstr("`insecure: true`")));
  EXPECT_THAT(system_.LeftOvers(), IsEmpty());
}

TEST_F(Tls, TakesUpNewFilesAtSighupWithoutEndingWhatRuns) {
  ASSERT_TRUE(system_.Start().ok()) << system_.output();
  const std::string addresses[] = {system_.grpc_address(), system_.http_address()};
  for (const std::string& address : addresses) {
    EXPECT_THAT(SubjectSeen(address), HasSubstr("CN = control plane"));
  }
  authority_.Issue("server", "/CN=renewed");
  // For longer than either server takes to look again at what is staged for it.
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(1500);
  while (std::chrono::steady_clock::now() < until) {
    for (const std::string& address : addresses) {
      ASSERT_THAT(SubjectSeen(address), HasSubstr("CN = control plane")) << "before SIGHUP";
    }
  }
  system_.Signal(SIGHUP);
  for (const std::string& address : addresses) {
    EXPECT_TRUE(WaitUntil([&] {
      return SubjectSeen(address).find("CN = renewed") != std::string::npos;
    })) << address;
  }
  EXPECT_TRUE(WaitForEvent(system_, "TlsReloaded", ""));
  EXPECT_EQ(system_.Ctl({"status"}).exit_code, 0);
}

TEST_F(Tls, KeepsItsFilesWhereNewOnesCannotBeUsed) {
  ASSERT_TRUE(system_.Start().ok()) << system_.output();
  WriteTo(authority_.FileOf("server"), "no certificate");
  system_.Signal(SIGHUP);
  EXPECT_TRUE(WaitForEvent(system_, "TlsReloadFailed", "holds no certificate in PEM"));
  EXPECT_EQ(system_.Ctl({"status"}).exit_code, 0);
  EXPECT_THAT(SubjectSeen(system_.grpc_address()), HasSubstr("CN = control plane"));
}

TEST_F(Tls, FilesThatCannotBeUsedAreNamedAtStart) {
  std::filesystem::remove(authority_.KeyOf("server"));
  system_.Launch();
  EXPECT_EQ(system_.WaitForExit(), 1);
  EXPECT_THAT(system_.output(),
              AllOf(HasSubstr("control-plane.tls.key"), HasSubstr(authority_.KeyOf("server"))));
  EXPECT_THAT(system_.LeftOvers(), IsEmpty());
}

class Tokens : public ::testing::Test {
 protected:
  Tokens() {
    system_.keys["worker"] = "1";
    system_.keys["pool"] = "1";
  }

  // Made by the admin of this machine; its file.
  std::string Create(const std::string& name, const std::string& role) {
    const CommandResult made = system_.Ctl({"token", "create", name, "--role", role});
    EXPECT_EQ(made.exit_code, 0) << made.output;
    return WriteTo(Cat(system_.directory(), "/", name, ".token"), TokenIn(made.output) + "\n");
  }

  System system_{"process"};
};

TEST_F(Tokens, TheAdminsOwnIsForItsOwnerAloneAndFoundByItself) {
  ASSERT_TRUE(system_.Start().ok()) << system_.output();
  struct stat file {};
  ASSERT_EQ(::stat(system_.admin_token_file().c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777U, 0600U);
  EXPECT_EQ(system_.Ctl({"whoami"}).output, "local-admin (admin)\n");
}

TEST_F(Tokens, AnonymousCallsOnLoopbackLookAndChangeNothing) {
  ASSERT_TRUE(system_.Start().ok()) << system_.output();
  grpc::ClientContext look;
  v1::ListWorkersResponse workers;
  EXPECT_TRUE(system_.NewStub<v1::WorkerService>()->ListWorkers(&look, {}, &workers).ok());
  EXPECT_EQ(workers.workers_size(), 1);
  grpc::ClientContext change;
  v1::ScaleServiceRequest request;
  request.set_replicas(2);
  v1::ScaleServiceResponse response;
  const grpc::Status scaled =
      system_.NewStub<v1::ServiceService>()->ScaleService(&change, request, &response);
  EXPECT_EQ(scaled.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_THAT(scaled.error_message(), HasSubstr(system_.admin_token_file()));
  EXPECT_EQ(system_.Workers().size(), 1U);
}

TEST_F(Tokens, OutliveTheControlPlaneAndLetNobodyInOnceTheyAreDeleted) {
  ASSERT_TRUE(system_.Start().ok()) << system_.output();
  const std::string ci = Create("ci", "operator");
  EXPECT_EQ(system_.Ctl({"--token-file", ci, "scale", "worker", "2"}).exit_code, 0);

  system_.KillControlPlane();
  ASSERT_TRUE(system_.Start().ok()) << system_.output();
  EXPECT_EQ(system_.Ctl({"--token-file", ci, "whoami"}).output, "ci (operator)\n");
  EXPECT_THAT(system_.Ctl({"token", "list"}).output,
              AllOf(HasSubstr("ci "), HasSubstr("operator"), HasSubstr("local-admin")));

  // A stream that is open ends with its token.
  CommandResult watched;
  std::thread watch([&] { watched = system_.Ctl({"--token-file", ci, "get", "workers", "-w"}); });
  EXPECT_TRUE(WaitUntil([&] { return system_.Ctl({"token", "list"}).exit_code == 0; }));
  EXPECT_EQ(system_.Ctl({"token", "delete", "ci"}).output, "token/ci deleted\n");
  watch.join();
  EXPECT_EQ(watched.exit_code, 9) << watched.output;
  const CommandResult after = system_.Ctl({"--token-file", ci, "status"});
  EXPECT_EQ(after.exit_code, 9);
  EXPECT_THAT(after.output, HasSubstr("does not exist here, or no longer"));

  system_.KillControlPlane();
  ASSERT_TRUE(system_.Start().ok()) << system_.output();
  EXPECT_EQ(system_.Ctl({"--token-file", ci, "status"}).exit_code, 9) << "deleted for good";
}

TEST_F(Tokens, EveryChangeIsAnEventThatSaysWhoMadeIt) {
  ASSERT_TRUE(system_.Start().ok()) << system_.output();
  const std::string ci = Create("ci", "operator");
  ASSERT_EQ(system_.Ctl({"--token-file", ci, "scale", "worker", "2"}).exit_code, 0);
  ASSERT_EQ(system_.Ctl({"apply", "-f", system_.config_file(), "--reason", "as it was"}).exit_code,
            0);
  ASSERT_EQ(system_.Ctl({"--token-file", ci, "apply", "-f", system_.config_file()}).exit_code, 9);

  EXPECT_THAT(EventsOf(system_, "Audit"),
              AllOf(Contains(AllOf(HasSubstr("token/local-admin AccessService/CreateToken"),
                                   HasSubstr("name=ci"), HasSubstr("OK"))),
                    Contains(AllOf(HasSubstr("token/ci ServiceService/ScaleService"),
                                   HasSubstr("replicas=2"), HasSubstr("OK"))),
                    Contains(AllOf(HasSubstr("token/local-admin ConfigService/ApplyConfig"),
                                   HasSubstr("reason='as it was'"), HasSubstr("OK")))));
  EXPECT_THAT(EventsOf(system_, "AccessDenied"),
              Contains(HasSubstr("token/ci ConfigService/ApplyConfig as operator")));
}

// What every process of the machine can read of the processes below `directory`.
std::string CommandLines(const std::string& directory) {
  std::string all;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string line = ReadFile(entry.path().string() + "/cmdline").value_or("");
    if (line.find(directory) != std::string::npos) all += line;
  }
  return all;
}

TEST_F(Tokens, NoSecretIsShownStoredInTheClearOrOnACommandLine) {
  constexpr char kSecret[] = "hunter2-in-the-environment";
  constexpr char kFileSecret[] = "hunter3-in-a-file";
  WriteTo(system_.directory() + "/web.env", Cat("FILE_PASSWORD=", kFileSecret, "\n"));
  for (const char* key : {"avg-delay", "failure"}) system_.keys.erase(key);
  const std::string script =
      Cat("trap 'kill $p' TERM; ", Program("gocomet-worker"),
          " --bind 127.0.0.1 --port {port} --avg-delay 5 --failure 0 & p=$!; wait");
  system_.keys["services"] =
      Cat("\n  worker:\n    command: [/bin/sh, -c, \"", script, "\", \"", system_.directory(),
          "\"]\n    environment: {PASSWORD: ", kSecret, "}\n    environment-files: [web.env]\n");
  ASSERT_TRUE(system_.Start().ok()) << system_.output();
  const std::string admin = *ReadFile(system_.admin_token_file());
  const std::string made =
      TokenIn(system_.Ctl({"token", "create", "ci", "--role", "admin"}).output);
  const std::string ci = WriteTo(system_.directory() + "/ci.token", made + "\n");
  const std::vector<std::string> secrets = {kSecret, kFileSecret, made,
                                            admin.substr(0, admin.size() - 1)};
  // A change of the secret, whose old and new value neither plan nor difference may show.
  std::string changed = system_.ConfigText();
  changed.replace(changed.find(kSecret), sizeof(kSecret) - 1, Cat(kSecret, "-changed"));
  const std::string config = WriteTo(system_.directory() + "/changed.yaml", changed);

  std::string shown;
  const std::vector<std::vector<std::string>> commands = {
      {"plan", "-f", config},
      {"plan", "-f", config, "-o", "json"},
      {"apply", "-f", config},
      {"config", "diff", "1", "2"},
      {"config", "diff", "1", "2", "-o", "json"},
      {"get", "workers", "-o", "json"},
      {"get", "services", "-o", "json"},
      {"get", "revisions", "-o", "json"},
      {"get", "balancers", "-o", "json"},
      {"describe", "service", "worker"},
      {"token", "list", "-o", "json"},
      {"rollout", "list", "-o", "json"},
      {"status", "-o", "json"},
      {"whoami", "-o", "json"},
      {"events", "-o", "json"}};
  for (const std::vector<std::string>& command : commands) {
    std::vector<std::string> all = {"--token-file", ci};
    all.insert(all.end(), command.begin(), command.end());
    const CommandResult run = system_.Ctl(all);
    EXPECT_LE(run.exit_code, 1) << command[0] << ": " << run.output;
    shown += run.output;
  }
  EXPECT_THAT(shown, HasSubstr("PASSWORD")) << "that it changed is shown";
  const std::string command_lines = CommandLines(system_.directory());
  EXPECT_THAT(command_lines, HasSubstr("gocomet-worker"));
  for (const std::string& secret : secrets) {
    EXPECT_THAT(shown, Not(HasSubstr(secret)));
    EXPECT_THAT(system_.output(), Not(HasSubstr(secret)));
    EXPECT_THAT(command_lines, Not(HasSubstr(secret)));
  }

  ASSERT_EQ(system_.Ctl({"--token-file", ci, "whoami"}).exit_code, 0);
  std::string database;
  for (const char* suffix : {"", "-wal"}) {
    const std::string file = system_.database() + suffix;
    database += ReadFile(file).value_or("");
    struct stat found {};
    const bool exists = ::stat(file.c_str(), &found) == 0;
    EXPECT_TRUE(!exists || (found.st_mode & 0077U) == 0) << file;
  }
  for (const std::string& token : {made, secrets.back(), std::string(kFileSecret)}) {
    EXPECT_THAT(database, Not(HasSubstr(token)));
    EXPECT_THAT(database, Not(HasSubstr(token.substr(token.rfind('_') + 1))));
  }
}

TEST_F(Tokens, AScriptInALoopMeetsItsOwnLimitAndOthersAreServed) {
  ASSERT_TRUE(system_.Start().ok()) << system_.output();
  const std::string loop = Create("loop", "viewer");
  std::string token = *ReadFile(loop);
  token.pop_back();
  std::atomic<bool> stop{false};
  std::atomic<int> served{0};
  std::atomic<int> refused{0};
  std::atomic<int> otherwise{0};
  std::string words;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      grpc::ChannelArguments arguments;
      arguments.SetInt("grpc.use_local_subchannel_pool", 1);
      const auto channel = grpc::CreateCustomChannel(Cat("ipv4:", system_.grpc_address()),
                                                     grpc::InsecureChannelCredentials(), arguments);
      const auto stub = v1::ClusterService::NewStub(channel);
      while (!stop) {
        grpc::ClientContext context;
        context.AddMetadata("authorization", "Bearer " + token);
        v1::ClusterStatus status;
        const grpc::Status answer = stub->GetStatus(&context, {}, &status);
        if (answer.ok()) {
          ++served;
        } else if (answer.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) {
          if (refused++ == 0 && i == 0) words = answer.error_message();
        } else {
          ++otherwise;
        }
      }
    });
  }
  EXPECT_TRUE(WaitUntil([&] { return refused > 2000; }));
  for (int i = 0; i < 20; ++i) {
    const CommandResult run = system_.Ctl({"--timeout", "5s", "status"});
    EXPECT_EQ(run.exit_code, 0) << run.output;
  }
  EXPECT_EQ(system_.Ctl({"scale", "worker", "2"}).exit_code, 0);
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(served, 0);
  EXPECT_EQ(otherwise, 0);
  if (!words.empty()) {
    EXPECT_THAT(words, AllOf(HasSubstr("the token 'loop' makes more than the"),
                             HasSubstr("calls a second"), HasSubstr("try again in")));
  }
}

}  // namespace
}  // namespace gocomet::testing
