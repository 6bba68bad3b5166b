#pragma once

#include <string>
#include <vector>

#include "ctl/app/session.h"

namespace gocomet::ctl {

// The whole program but for the process around it: reads the arguments (without the program's
// name), runs the command they name and answers with the exit code.
int RunCtl(const std::vector<std::string>& arguments, const Environment& environment);

}  // namespace gocomet::ctl
