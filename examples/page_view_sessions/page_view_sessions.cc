// Visits: page views of a user with less than half an hour between them, as sessions. The time is the view's own, taken
// from its value. "visits" is a table that follows each visit as it grows: when two become one, or one gets longer, the
// row of what was is deleted. "visits-over" has each visit once, when no view can belong to it any more.
//
//   muir broker & page_view_sessions localhost:9092 &
//   echo 'ann:{"page":"/news","at_ms":1700000000000}' | kcat -b localhost:9092 -P -t clicks -K:
//   kcat -b localhost:9092 -C -t visits-over -K:
#include "page_view_sessions/page_view_sessions.h"

#include <cstdint>
#include <string>
#include <utility>

#include "serde/json_serde.h"
#include "streams/dsl.h"

namespace page_view_sessions {

struct Click {  // key: the user
  std::string page;
  int64_t at_ms = 0;
};
inline void describe(muir::Fields& f, Click& c) { f("page", c.page)("at_ms", c.at_ms); }

struct Visit {
  int64_t views = 0;
  Click entry;
  Click exit;
};
inline void describe(muir::Fields& f, Visit& v) { f("views", v.views)("entry", v.entry)("exit", v.exit); }

}  // namespace page_view_sessions

template <>
struct muir::serde<page_view_sessions::Click> : muir::JsonSerde<page_view_sessions::Click> {};
template <>
struct muir::serde<page_view_sessions::Visit> : muir::JsonSerde<page_view_sessions::Visit> {};

namespace page_view_sessions {

using namespace std::chrono_literals;
using muir::streams::Record;
using muir::streams::SessionWindows;
using muir::streams::Suppressed;
using muir::streams::Windowed;

namespace {

// Views may come late, so the first to come is not always the first.
Visit joined(const Visit& a, const Visit& b) {
  if (a.views == 0) return b;
  return {.views = a.views + b.views,
          .entry = b.entry.at_ms < a.entry.at_ms ? b.entry : a.entry,
          .exit = b.exit.at_ms >= a.exit.at_ms ? b.exit : a.exit};
}

}  // namespace

muir::Result<muir::streams::Topology> topology() {
  muir::streams::StreamsBuilder builder;
  const auto visits =
      builder
          .stream<std::string, Click>(
              "clicks",
              {.timestamp = [](const Record<std::string, Click>& record,
                               int64_t) { return record.value == nullptr ? record.timestamp_ms : record.value->at_ms; },
               .invalid_timestamp = muir::streams::InvalidTimestamp::skip})
          .group_by_key()
          .windowed_by(SessionWindows{.gap = 30min, .grace = 5min})
          .aggregate(Visit{},
                     [](const Click& c, const Visit& visit) {
                       return joined(visit, {1, c, c});
                     },
                     joined, {.store = "visits"});
  visits.to_stream().to("visits");  // the key is the user with end and start of the session
  visits.suppress(Suppressed::until_window_closes())
      .to_stream()
      .select_key([](const Windowed<std::string>& session, const Visit&) { return session.key; })
      .to("visits-over");
  return builder.build();
}

}  // namespace page_view_sessions
