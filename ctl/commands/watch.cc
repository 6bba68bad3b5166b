#include "ctl/commands/watch.h"

#include <algorithm>
#include <map>
#include <utility>

#include "ctl/commands/fetch.h"
#include "ctl/commands/listings.h"
#include "ctl/views/tables.h"

namespace gocomet::ctl {
namespace {

bool IsWanted(const std::vector<std::string>& names, const std::string& name) {
  return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

bool IsWanted(const std::vector<std::string>& names, const v1::Worker& worker) {
  return IsWanted(names, worker.name()) ||
         std::any_of(names.begin(), names.end(), [&](const std::string& prefix) {
           return !prefix.empty() && worker.id().starts_with(prefix);
         });
}

// A change that a table does not show is no row of it. What only grows by itself is no change.
class ShownRows {
 public:
  explicit ShownRows(Session& session) : session_(session) {}

  // Nothing where each row reads as it did when it was last shown.
  void ShowNext(const Listing& listing) {
    if (session_.is_for_people() && !IsNews(listing)) return;
    session_.ShowNext(listing);
  }

 private:
  bool IsNews(const Listing& listing) {
    const Table table = listing.table(session_.form() == OutputForm::kWide);
    bool is_news = table.rows().empty();
    for (const Row& row : table.rows()) {
      std::vector<std::string> texts;
      for (size_t i = 0; i < row.size(); ++i) {
        if (table.headers()[i] != "AGE") texts.push_back(row[i].text);
      }
      std::vector<std::string>& before = shown_[row[0].text];
      is_news = is_news || before != texts;
      before = std::move(texts);
    }
    return is_news;
  }

  Session& session_;
  std::map<std::string, std::vector<std::string>> shown_;
};

// The workers of the snapshot share one table, so that its columns line up.
class WorkerRows {
 public:
  explicit WorkerRows(Session& session) : session_(session), rows_(session) {}

  void Take(const v1::WorkerChange& change) {
    if (change.type() == v1::WorkerChange::TYPE_SNAPSHOT) {
      *snapshot_.add_workers() = change.worker();
    } else if (change.type() == v1::WorkerChange::TYPE_SYNCED) {
      rows_.ShowNext(ListingOf(snapshot_, session_.now()));
    } else if (change.type() == v1::WorkerChange::TYPE_REMOVED) {
      rows_.ShowNext({change.worker(), {}, [&change](bool wide) {
                        return RemovedWorkerTable(change.worker(), wide);
                      }});
    } else {
      v1::ListWorkersResponse one;
      *one.add_workers() = change.worker();
      rows_.ShowNext(ListingOf(one, session_.now()));
    }
  }

 private:
  Session& session_;
  ShownRows rows_;
  v1::ListWorkersResponse snapshot_;
};

}  // namespace

int WatchWorkers(Session& session, const std::vector<std::string>& names,
                 const std::string& service) {
  WorkerRows rows(session);
  return session.RunStream([&] {
    return session.control_plane().WatchWorkers(service, [&](const v1::WorkerChange& change) {
      if (change.has_worker() && !IsWanted(names, change.worker())) return;
      if (session.is_for_people()) return rows.Take(change);
      Listing listing{change, {}, nullptr};
      if (change.has_worker()) {
        listing.names.push_back(NameOf(Kind::kWorker, change.worker().name()));
      }
      session.ShowNext(listing);
    });
  });
}

int WatchBalancers(Session& session, const std::vector<std::string>& names) {
  ShownRows rows(session);
  return session.RunStream([&] {
    return session.control_plane().WatchBalancers([&](const v1::Balancer& balancer) {
      if (!IsWanted(names, balancer.name())) return;
      v1::ListBalancersResponse one;
      *one.add_balancers() = balancer;
      const Listing listing = ListingOf(one, session.now());
      rows.ShowNext({balancer, listing.names, listing.table});
    });
  });
}

int WatchServices(Session& session, const std::vector<std::string>& names) {
  ShownRows rows(session);
  return session.RunStream([&] {
    return session.control_plane().WatchServices([&](const v1::Service& service) {
      if (!IsWanted(names, service.name())) return;
      v1::ListServicesResponse one;
      *one.add_services() = service;
      const Listing listing = ListingOf(one, session.now());
      rows.ShowNext({service, listing.names, listing.table});
    });
  });
}

int WatchRevisions(Session& session) {
  return session.RunStream([&] {
    return session.control_plane().WatchRevisions([&](const v1::Revision& revision) {
      v1::ListRevisionsResponse one;
      *one.add_revisions() = revision;
      const Listing listing = ListingOf(one, session.now());
      session.ShowNext({revision, listing.names, listing.table});
    });
  });
}

int WatchEvents(Session& session, const std::string& subject, uint64_t limit) {
  const auto show = [&](const v1::Event& event) {
    if (!subject.empty() && event.subject() != subject) return;
    v1::ListEventsResponse one;
    *one.add_events() = event;
    const Listing listing = ListingOf(one, session.now());
    session.ShowNext({event, listing.names, listing.table});
  };
  return session.RunStream([&]() -> absl::Status {
    const auto past = FetchEvents(session.control_plane(), subject, limit);
    if (!past.ok()) return past.status();
    if (session.is_for_people()) {
      session.ShowNext(ListingOf(*past, session.now()));
    } else {
      for (const v1::Event& event : past->events()) show(event);
    }
    v1::WatchEventsRequest request;
    request.set_subject_prefix(subject);
    if (!past->events().empty()) {
      request.set_after_sequence(past->events(past->events_size() - 1).sequence());
    }
    return session.control_plane().WatchEvents(request, show);
  });
}

}  // namespace gocomet::ctl
