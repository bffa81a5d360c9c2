#include "apps/vts/health.h"

#include "apps/vts/json_answer.h"
#include "schema/json.h"

namespace muir::vts {

Health health_of(streams::StreamsState state, const Status& failing, bool has_run) {
  using State = streams::StreamsState;
  if (!failing.ok()) return {.processing = "stopped", .why = failing.message()};
  switch (state) {
    case State::running: return {.ok = true, .processing = "running"};
    case State::created:
    case State::rebalancing:
      // Work that moves between instances stands still for a moment, which is no reason to take any of them out.
      if (has_run) return {.ok = true, .processing = "rebalancing"};
      return {.processing = "starting", .why = "positions are taken, and processed as soon as all is there"};
    case State::pending_shutdown:
    case State::not_running: return {.processing = "stopped", .why = "the process ends"};
    case State::pending_error:
    case State::error: break;
  }
  return {.processing = "stopped", .why = "the log says why"};
}

net::HttpResponse answer(const Health& health) {
  std::string body =
      fmt::format("{{\"status\":\"{}\",\"processing\":\"{}\"", health.ok ? "ok" : "failing", health.processing);
  if (!health.ok) {
    body += ",\"why\":";
    schema::append_json_string(body, health.why);
  }
  body += '}';
  net::HttpResponse out = json_answer(std::move(body), health.ok ? 200 : 503);
  if (!health.ok) out.headers.emplace_back("Retry-After", "5");
  return out;
}

}  // namespace muir::vts
