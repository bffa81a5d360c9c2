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

net::HttpResponse not_found(std::string_view what, std::string_view id) {
  return error_answer(404, "not_found", fmt::format("no {} {}", what, id));
}

net::HttpResponse bad_parameter(const Status& status) { return error_answer(400, "bad_parameter", status.message()); }

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

net::HttpResponse not_acknowledged(const Status& status) {
  // Asking again would not help.
  if (client::is_too_large(status)) return error_answer(413, "too_large", status.message());
  return unavailable_answer("not_acknowledged", status.message());
}

MasterWriter::OnDone answer_when_done(const std::shared_ptr<net::HttpResponder>& responder, std::string_view id_name,
                                      const std::string& id) {
  return [responder, answer = named(id_name, id)](const Status& status, const client::TopicPartition&, Offset) {
    responder->respond(status.ok() ? answer : not_acknowledged(status));
  };
}

void answer_failure(const std::shared_ptr<net::HttpResponder>& responder, const Status& status) {
  if (!status.ok()) responder->respond(unavailable_answer("not_taken", status.message()));
}

}  // namespace

void Api::add(net::HttpServer& server, std::string method, std::string path,
              std::initializer_list<std::string_view> parameters, net::HttpHandler handler) {
  server.route(std::move(method), std::move(path), with_parameters(parameters, std::move(handler)));
}

void Api::add_answer(net::HttpServer& server, std::string path, std::initializer_list<std::string_view> parameters,
                     Answer answer) {
  add(server, "GET", std::move(path), parameters,
      [answer = std::move(answer)](const Request& request, const Responder& responder) {
        responder->respond(answer(request));
      });
}

void Api::add_list(net::HttpServer& server, std::string path, std::initializer_list<std::string_view> parameters,
                   Answer answer) {
  add(server, "GET", std::move(path), parameters,
      [this, answer = std::move(answer)](const Request& request, const Responder& responder) {
        lists_.answer(request.raw_path + '?' + request.query, responder, [answer, request] { return answer(request); });
      });
}

void Api::add_to(net::HttpServer& server) {
  add(server, "POST", "/api/v1/positions", {},
      [this](const Request& request, const Responder& responder) { gateway_.handle(request, responder); });
  add_vehicles(server);
  add_zones(server);
  add_events(server);
}

void Api::add_vehicles(net::HttpServer& server) {
  add_list(server, "/api/v1/vehicles", {},
           [this](const Request&) { return json_answer(member("vehicles", view_.vehicles())); });
  add_answer(server, "/api/v1/vehicles/{id}", {}, [this](const Request& request) { return vehicle(request); });
  add_answer(server, "/api/v1/vehicles/{id}/location", {},
             [this](const Request& request) { return location(request); });
  add_answer(server, "/api/v1/vehicles/{id}/speed", {}, [this](const Request& request) { return speed(request); });
  add_answer(server, "/api/v1/vehicles/{id}/trail", {"limit"},
             [this](const Request& request) { return trail(request); });
  add(server, "PUT", "/api/v1/vehicles/{id}", {},
      [this](const Request& request, const Responder& responder) { put_vehicle(request, responder); });
  add(server, "DELETE", "/api/v1/vehicles/{id}", {},
      [this](const Request& request, const Responder& responder) { delete_vehicle(request, responder); });
}

void Api::add_zones(net::HttpServer& server) {
  add_list(server, "/api/v1/zones", {}, [this](const Request&) { return zones(); });
  add_list(server, "/api/v1/zones/{id}/vehicles", {},
           [this](const Request& request) { return zone_vehicles(request); });
  add(server, "PUT", "/api/v1/zones/{id}", {},
      [this](const Request& request, const Responder& responder) { put_zone(request, responder); });
  add(server, "DELETE", "/api/v1/zones/{id}", {}, [this](const Request& request, const Responder& responder) {
    const std::string& id = request.path_params[0];
    const Status named = check_id("the id", id);
    if (!named.ok() && view_.zones()->zone(id) == nullptr)
      return responder->respond(error_answer(400, "malformed_zone", named.message()));
    answer_failure(responder, master_.remove_zone(id, answer_when_shown(responder, id)));
  });
}

void Api::add_events(net::HttpServer& server) {
  add_list(server, "/api/v1/alerts", {"limit"}, [this](const Request& request) { return alerts(request); });
  add_list(server, "/api/v1/dead-letters", {"limit"}, [this](const Request& request) { return dead_letters(request); });
  add_answer(server, "/api/v1/stats", {}, [this](const Request&) {
    std::string body;
    append_json(body, board_.stats(view_.totals()));
    return json_answer(std::move(body));
  });
}

net::HttpResponse Api::vehicle(const Request& request) const {
  const auto shown = view_.vehicle(request.path_params[0]);
  if (!shown) return not_found("vehicle", request.path_params[0]);
  return json_answer(shown->json);
}

net::HttpResponse Api::location(const Request& request) const {
  const auto shown = view_.vehicle(request.path_params[0]);
  if (!shown) return not_found("vehicle", request.path_params[0]);
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

net::HttpResponse Api::speed(const Request& request) const {
  const std::string& id = request.path_params[0];
  const auto windows = view_.speeds(id);
  if (!view_.vehicle(id)) return not_found("vehicle", id);
  std::string body = "{\"vehicleId\":";
  schema::append_json_string(body, id);
  body += ",\"windows\":";
  append_json(body, windows);
  body += '}';
  return json_answer(std::move(body));
}

net::HttpResponse Api::trail(const Request& request) const {
  const std::string& id = request.path_params[0];
  const auto limit = limit_of(request, View::kTrailMax);
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

net::HttpResponse Api::zones() const {
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

net::HttpResponse Api::zone_vehicles(const Request& request) const {
  const std::string& id = request.path_params[0];
  if (view_.zones()->zone(id) == nullptr) return not_found("zone", id);
  std::string body = "{\"zoneId\":";
  schema::append_json_string(body, id);
  body += ",\"vehicles\":";
  append_json(body, view_.vehicles_in(id));
  body += '}';
  return json_answer(std::move(body));
}

net::HttpResponse Api::alerts(const Request& request) const {
  const auto limit = limit_of(request, kDefaultLimit);
  return limit.ok() ? json_answer(member("alerts", view_.alerts(*limit))) : bad_parameter(limit.status());
}

net::HttpResponse Api::dead_letters(const Request& request) const {
  const auto limit = limit_of(request, kDefaultLimit);
  return limit.ok() ? json_answer(member("deadLetters", view_.dead_letters(*limit))) : bad_parameter(limit.status());
}

void Api::delete_vehicle(const Request& request, const Responder& responder) {
  const std::string& id = request.path_params[0];
  // One that other programs gave its id can be deleted, whatever it is.
  const Status valid = check_id("the id", id);
  if (!valid.ok() && !view_.vehicle(id))
    return responder->respond(error_answer(400, "malformed_vehicle", valid.message()));
  const auto done = [this, responder, id](const Status& status, const client::TopicPartition&, Offset) {
    if (!status.ok()) return responder->respond(not_acknowledged(status));
    view_.call_when_removed(id, system_clock().steady_ms() + kShownTimeoutMs,
                            [responder, id] { responder->respond(named("vehicleId", id)); });
  };
  answer_failure(responder, master_.remove_vehicle(id, done));
}

MasterWriter::OnDone Api::answer_when_shown(const Responder& responder, const std::string& id) {
  return [this, responder, id](const Status& status, const client::TopicPartition& partition, Offset offset) {
    if (!status.ok()) return responder->respond(not_acknowledged(status));
    zones_follower_.call_when_read(partition, offset, kShownTimeoutMs,
                                   [responder, id] { responder->respond(named("zoneId", id)); });
  };
}

void Api::put_vehicle(const Request& request, const Responder& responder) {
  const std::string& id = request.path_params[0];
  if (const Status named = check_id("the id", id); !named.ok())
    return responder->respond(error_answer(400, "malformed_vehicle", named.message()));
  const auto vehicle = parse_vehicle(request.body);
  if (!vehicle.ok()) return responder->respond(error_answer(400, "malformed_vehicle", vehicle.status().message()));
  answer_failure(responder, master_.put_vehicle(id, *vehicle, answer_when_done(responder, "vehicleId", id)));
}

void Api::put_zone(const Request& request, const Responder& responder) {
  const std::string& id = request.path_params[0];
  if (const Status named = check_id("the id", id); !named.ok())
    return responder->respond(error_answer(400, "malformed_zone", named.message()));
  const auto zone = parse_zone(id, request.body);
  if (!zone.ok()) return responder->respond(error_answer(400, "malformed_zone", zone.status().message()));
  answer_failure(responder, master_.put_zone(*zone, answer_when_shown(responder, id)));
}

}  // namespace muir::vts
