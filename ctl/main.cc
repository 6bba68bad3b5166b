#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "ctl/app/ctl.h"

namespace {

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// no-color.org: any value that is not empty.
bool WantsColours() {
  return ::isatty(STDOUT_FILENO) != 0 && Variable("NO_COLOR").empty() && Variable("TERM") != "dumb";
}

std::string UserName() {
  const passwd* user = ::getpwuid(::geteuid());
  return user == nullptr ? std::to_string(::geteuid()) : user->pw_name;
}

}  // namespace

int main(int argc, char** argv) {
  // What gRPC would say on standard error comes in the errors of calls, too.
  ::setenv("GRPC_VERBOSITY", "NONE", 0);
  std::ios::sync_with_stdio(false);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const int exit_code =
      gocomet::ctl::RunCtl(arguments, {.in = std::cin,
                                       .out = std::cout,
                                       .err = std::cerr,
                                       .clock = gocomet::SystemClock(),
                                       .colours = WantsColours(),
                                       .server = Variable("GOCOMET_SERVER"),
                                       .token = Variable("GOCOMET_TOKEN"),
                                       .user = UserName(),
                                       .tls_ca = Variable("GOCOMET_TLS_CA"),
                                       .tls_certificate = Variable("GOCOMET_TLS_CERTIFICATE"),
                                       .tls_key = Variable("GOCOMET_TLS_KEY"),
                                       .finds_local_token = true});
  return exit_code;
}
