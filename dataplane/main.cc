#include <optional>

#include "dataplane/app/app.h"
#include "dataplane/app/options.h"

int main(int argc, char** argv) {
  std::optional<int> exit_code;
  const auto options = gocomet::dataplane::ParseOptions(argc, argv, exit_code);
  if (exit_code) return *exit_code;
  return gocomet::dataplane::RunBalancer(options);
}
