#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ctl/app/session.h"
#include "ctl/commands/resource.h"

// Lists that go on: what is there now, then every change as it comes. They end with Ctrl-C.
namespace gocomet::ctl {

int WatchWorkers(Session& session, const std::vector<std::string>& names,
                 const std::string& service);
int WatchBalancers(Session& session, const std::vector<std::string>& names);
int WatchServices(Session& session, const std::vector<std::string>& names);
int WatchRevisions(Session& session);
// The newest `limit` (0: all) first. Only those about `subject` where it is not empty.
int WatchEvents(Session& session, const std::string& subject, uint64_t limit);

}  // namespace gocomet::ctl
