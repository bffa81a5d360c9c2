#include "apps/vts/api.h"

#include "apps/vts/ids.h"
#include "apps/vts/json_answer.h"
#include "apps/vts/json_number.h"
#include "apps/vts/query.h"
#include "apps/vts/view_json.h"
#include "schema/json.h"

namespace muir::vts {
namespace {

constexpr size_t kDefaultLimit = 100;
// A write that is acknowledged is answered although the view does not show it, when it lags behind for so long.
constexpr int64_t kShownTimeoutMs = 5000;

net::RestError not_found(std::string_view what, std::string_view id) {
  return error_answer(404, "not_found", fmt::format("no {} {}", what, id));
}

net::RestError bad_parameter(const Status& status) { return error_answer(400, "bad_parameter", status.message()); }

template <class T>
std::string member(std::string_view name, const std::vector<T>& values) {
  std::string out = fmt::format("{{\"{}\":", name);
  append_json(out, values);
  out += '}';
  return out;
}

// {"vehicleId":"V1"}
net::HttpResponse named(std::string_view id_name, std::string_view id) {
  std::string body = fmt::format("{{\"{}\":", id_name);
  schema::append_json_string(body, id);
  body += '}';
  return json_answer(std::move(body));
}

net::RestError not_acknowledged(const Status& status) {
  // Asking again would not help.
  if (client::is_too_large(status)) return error_answer(413, "too_large", status.message());
  return unavailable_answer("not_acknowledged", status.message());
}

MasterWriter::OnDone answer_when_done(const std::shared_ptr<net::RestCall>& call, std::string_view id_name,
                                      const std::string& id) {
  return [call, answer = named(id_name, id)](const Status& status, const client::TopicPartition&, Offset) {
    if (!status.ok()) return call->answer(not_acknowledged(status));
    call->answer(answer);
  };
}

void answer_failure(const std::shared_ptr<net::RestCall>& call, const Status& status) {
  if (!status.ok()) call->answer(unavailable_answer("not_taken", status.message()));
}

}  // namespace

void Api::add(Routes& routes, std::string path, Parameters parameters, Answer answer) {
  routes.push_back({.method = "GET",
                    .path = std::move(path),
                    .run = [this, answer](net::RestCall& call) { return (this->*answer)(call); },
                    .query = std::move(parameters)});
}

void Api::add_list(Routes& routes, std::string path, Parameters parameters, Answer answer) {
  routes.push_back({.method = "GET",
                    .path = std::move(path),
                    .begin =
                        [this, answer](const Call& call) {
                          const net::HttpRequest& request = call->request();
                          lists_.answer(request.raw_path + '?' + request.query, call,
                                        [this, answer, call] { return dressed((this->*answer)(*call)); });
                        },
                    .query = std::move(parameters)});
}

void Api::add_write(Routes& routes, std::string method, std::string path, Begin begin) {
  routes.push_back({.method = std::move(method),
                    .path = std::move(path),
                    .begin = [this, begin](const Call& call) { (this->*begin)(call); },
                    .query = Parameters{}});
}

std::vector<net::RestRoute> Api::routes() {
  Routes routes;
  add_write(routes, "POST", "/api/v1/positions", &Api::post_positions);

  add_list(routes, "/api/v1/vehicles", {}, &Api::vehicles);
  add(routes, "/api/v1/vehicles/{id}", {}, &Api::vehicle);
  add(routes, "/api/v1/vehicles/{id}/location", {}, &Api::location);
  add(routes, "/api/v1/vehicles/{id}/speed", {}, &Api::speed);
  add(routes, "/api/v1/vehicles/{id}/trail", {"limit"}, &Api::trail);
  add_write(routes, "PUT", "/api/v1/vehicles/{id}", &Api::put_vehicle);
  add_write(routes, "DELETE", "/api/v1/vehicles/{id}", &Api::delete_vehicle);

  add_list(routes, "/api/v1/zones", {}, &Api::zones);
  add_list(routes, "/api/v1/zones/{id}/vehicles", {}, &Api::zone_vehicles);
  add_write(routes, "PUT", "/api/v1/zones/{id}", &Api::put_zone);
  add_write(routes, "DELETE", "/api/v1/zones/{id}", &Api::delete_zone);

  add_list(routes, "/api/v1/alerts", {"limit"}, &Api::alerts);
  add_list(routes, "/api/v1/dead-letters", {"limit"}, &Api::dead_letters);
  add(routes, "/api/v1/stats", {}, &Api::stats);
  return routes;
}

void Api::post_positions(const Call& call) { gateway_.handle(call); }

net::RestAnswer Api::vehicles(const net::RestCall&) const { return json_answer(member("vehicles", view_.vehicles())); }

net::RestAnswer Api::stats(const net::RestCall&) const {
  std::string body;
  append_json(body, board_.stats(view_.totals()));
  return json_answer(std::move(body));
}

void Api::delete_zone(const Call& call) {
  const std::string& id = call->param("id");
  const Status named = check_id("the id", id);
  if (!named.ok() && view_.zones()->zone(id) == nullptr)
    return call->answer(error_answer(400, "malformed_zone", named.message()));
  answer_failure(call, master_.remove_zone(id, answer_when_shown(call, id)));
}

net::RestAnswer Api::vehicle(const net::RestCall& call) const {
  const auto shown = view_.vehicle(call.param("id"));
  if (!shown) return not_found("vehicle", call.param("id"));
  return json_answer(shown->json);
}

net::RestAnswer Api::location(const net::RestCall& call) const {
  const auto shown = view_.vehicle(call.param("id"));
  if (!shown) return not_found("vehicle", call.param("id"));
  std::string body = "{\"vehicleId\":";
  schema::append_json_string(body, shown->state.vehicle_id);
  const VehicleState& state = shown->state;
  const auto number = [&body](std::string_view name, std::optional<double> value) {
    fmt::format_to(std::back_inserter(body), ",\"{}\":", name);
    if (value) {
      append_json_number(body, *value);
    } else {
      body += "null";
    }
  };
  number("lat", state.lat);
  number("lon", state.lon);
  number("speed", state.speed);
  number("heading", state.heading);
  fmt::format_to(std::back_inserter(body), ",\"timestamp\":{}}}", state.timestamp);
  return json_answer(std::move(body));
}

net::RestAnswer Api::speed(const net::RestCall& call) const {
  const std::string& id = call.param("id");
  const auto windows = view_.speeds(id);
  if (!view_.vehicle(id)) return not_found("vehicle", id);
  std::string body = "{\"vehicleId\":";
  schema::append_json_string(body, id);
  body += ",\"windows\":";
  append_json(body, windows);
  body += '}';
  return json_answer(std::move(body));
}

net::RestAnswer Api::trail(const net::RestCall& call) const {
  const std::string& id = call.param("id");
  const auto limit = limit_of(call.request(), View::kTrailMax);
  if (!limit.ok()) return bad_parameter(limit.status());
  const auto fixes = view_.trail(id, *limit);
  if (fixes.empty()) return not_found("vehicle", id);
  std::string body = "{\"vehicleId\":";
  schema::append_json_string(body, id);
  body += ",\"fixes\":";
  append_json(body, fixes);
  body += '}';
  return json_answer(std::move(body));
}

net::RestAnswer Api::zones(const net::RestCall&) const {
  std::map<std::string, int64_t> vehicles;
  for (const ZoneOccupancy& occupancy : view_.occupancies()) vehicles[occupancy.zone_id] = occupancy.vehicles;
  std::string body = "{\"zones\":[";
  const auto index = view_.zones();
  for (const ZoneMaster& zone : index->zones()) {
    if (&zone != &index->zones().front()) body += ',';
    append_json(body, zone, vehicles[zone.zone_id]);
  }
  body += "]}";
  return json_answer(std::move(body));
}

net::RestAnswer Api::zone_vehicles(const net::RestCall& call) const {
  const std::string& id = call.param("id");
  if (view_.zones()->zone(id) == nullptr) return not_found("zone", id);
  std::string body = "{\"zoneId\":";
  schema::append_json_string(body, id);
  body += ",\"vehicles\":";
  append_json(body, view_.vehicles_in(id));
  body += '}';
  return json_answer(std::move(body));
}

net::RestAnswer Api::alerts(const net::RestCall& call) const {
  const auto limit = limit_of(call.request(), kDefaultLimit);
  if (!limit.ok()) return bad_parameter(limit.status());
  return json_answer(member("alerts", view_.alerts(*limit)));
}

net::RestAnswer Api::dead_letters(const net::RestCall& call) const {
  const auto limit = limit_of(call.request(), kDefaultLimit);
  if (!limit.ok()) return bad_parameter(limit.status());
  return json_answer(member("deadLetters", view_.dead_letters(*limit)));
}

void Api::delete_vehicle(const Call& call) {
  const std::string& id = call->param("id");
  // One that other programs gave its id can be deleted, whatever it is.
  const Status valid = check_id("the id", id);
  if (!valid.ok() && !view_.vehicle(id)) return call->answer(error_answer(400, "malformed_vehicle", valid.message()));
  const auto done = [this, call, id](const Status& status, const client::TopicPartition&, Offset) {
    if (!status.ok()) return call->answer(not_acknowledged(status));
    view_.call_when_removed(id, system_clock().steady_ms() + kShownTimeoutMs,
                            [call, id] { call->answer(named("vehicleId", id)); });
  };
  answer_failure(call, master_.remove_vehicle(id, done));
}

MasterWriter::OnDone Api::answer_when_shown(const Call& call, const std::string& id) {
  return [this, call, id](const Status& status, const client::TopicPartition& partition, Offset offset) {
    if (!status.ok()) return call->answer(not_acknowledged(status));
    // It is written, whether or not it is shown in time.
    zones_log_.call_when_read(partition, offset, kShownTimeoutMs,
                              [call, id](const Status&) { call->answer(named("zoneId", id)); });
  };
}

void Api::put_vehicle(const Call& call) {
  const std::string& id = call->param("id");
  if (const Status named = check_id("the id", id); !named.ok())
    return call->answer(error_answer(400, "malformed_vehicle", named.message()));
  const auto vehicle = parse_vehicle(call->request().body);
  if (!vehicle.ok()) return call->answer(error_answer(400, "malformed_vehicle", vehicle.status().message()));
  answer_failure(call, master_.put_vehicle(id, *vehicle, answer_when_done(call, "vehicleId", id)));
}

void Api::put_zone(const Call& call) {
  const std::string& id = call->param("id");
  if (const Status named = check_id("the id", id); !named.ok())
    return call->answer(error_answer(400, "malformed_zone", named.message()));
  const auto zone = parse_zone(id, call->request().body);
  if (!zone.ok()) return call->answer(error_answer(400, "malformed_zone", zone.status().message()));
  answer_failure(call, master_.put_zone(*zone, answer_when_shown(call, id)));
}

}  // namespace muir::vts
