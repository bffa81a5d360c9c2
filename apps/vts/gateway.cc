#include "apps/vts/gateway.h"

#include "apps/vts/json_answer.h"
#include "base/log.h"
#include "schema/json.h"

namespace muir::vts {
namespace {

// What the answer says about one position that was not simply accepted.
void append_result(std::string& out, size_t index, std::string_view status, std::string_view rule,
                   std::string_view why) {
  fmt::format_to(std::back_inserter(out), "{}{{\"index\":{},\"status\":\"{}\"", out.empty() ? "" : ",", index, status);
  if (!rule.empty()) fmt::format_to(std::back_inserter(out), ",\"rule\":\"{}\"", rule);
  out += ",\"error\":";
  schema::append_json_string(out, why);
  out += '}';
}

struct Batch {
  std::vector<ParsedItem> items;
  Bytes values;                 // encoded, one after the other
  std::vector<size_t> ends;     // of each value
  std::vector<size_t> indexes;  // items that are sent
  size_t refused = 0;           // for their structure
  size_t rejected = 0;          // recorded, but a rule will reject them
  std::string results;
};

net::HttpResponse answer(const Batch& batch) {
  const size_t accepted = batch.indexes.size() - batch.rejected;
  std::string body = fmt::format("{{\"accepted\":{},\"rejected\":{},\"refused\":{},\"results\":[{}]}}", accepted,
                                 batch.rejected, batch.refused, batch.results);
  const bool all = batch.refused == 0 && batch.rejected == 0;
  const bool none = batch.indexes.empty() && batch.refused > 0;
  return json_answer(std::move(body), all ? 200 : (none ? 400 : 207));
}

// The record's time is the fix's, so that consumers see event time; a time that cannot be true would spoil it, and one
// ahead of the clock, however far fixes may be, is refused by topics.
int64_t record_time(const RawPosition& position) {
  const bool usable =
      position.timestamp && *position.timestamp >= kEarliestMs && *position.timestamp <= position.received_at;
  return usable ? *position.timestamp : position.received_at;
}

Status encode(Batch& batch, const SerdeRef<RawPosition>& raw, const Limits& limits) {
  for (size_t i = 0; i < batch.items.size(); ++i) {
    const ParsedItem& item = batch.items[i];
    if (!item.error.empty()) {
      ++batch.refused;
      append_result(batch.results, i, "refused", {}, item.error);
      continue;
    }
    if (const auto rejection = check_position(item.position, item.position.received_at, limits)) {
      ++batch.rejected;
      append_result(batch.results, i, "rejected", rejection->rule, rejection->message);
    }
    MUIR_RETURN_IF_ERROR(raw.serialize(kRawTopic, item.position, batch.values));
    batch.ends.push_back(batch.values.size());
    batch.indexes.push_back(i);
  }
  return {};
}

std::vector<client::ProducedRecord> records_of(const Batch& batch) {
  std::vector<client::ProducedRecord> records;
  records.reserve(batch.indexes.size());
  size_t begin = 0;
  for (size_t i = 0; i < batch.indexes.size(); ++i) {
    const RawPosition& position = batch.items[batch.indexes[i]].position;
    records.push_back({.topic = kRawTopic,
                       .key = BytesView(position.vehicle_id),
                       .value = BytesView(batch.values).substr(begin, batch.ends[i] - begin),
                       .timestamp_ms = record_time(position)});
    begin = batch.ends[i];
  }
  return records;
}

}  // namespace

void Gateway::handle(const std::shared_ptr<net::RestCall>& call) {
  const net::HttpRequest& request = call->request();
  const bool lines = is_lines_type(request.header("content-type"));
  auto parsed = parse_positions(request.body, lines, clock_.now_ms(), options_.positions);
  if (!parsed.ok()) {
    const bool too_many = parsed.status().code() == Code::resource_exhausted;
    return call->answer(error_answer(too_many ? 413 : 400, too_many ? "too_many_positions" : "malformed_json",
                                     parsed.status().message()));
  }
  call->drop_body();
  const auto batch = std::make_shared<Batch>();  // shared with the acknowledgement
  batch->items = std::move(*parsed);
  counters_->received.add(batch->items.size());
  if (const Status status = encode(*batch, raw_, options_.rules); !status.ok()) {
    return call->answer(unavailable_answer("registry_unavailable", status.message()));
  }
  const size_t count = batch->indexes.size();
  counters_->refused.add(batch->refused);
  if (count == 0) return call->answer(answer(*batch));
  if (in_flight_->fetch_add(count) + count > options_.in_flight_max) {
    in_flight_->fetch_sub(count);
    counters_->unacknowledged.add(count);
    return call->answer(unavailable_answer(
        "overloaded", fmt::format("more than {} positions wait to be acknowledged", options_.in_flight_max)));
  }
  const Status sent =
      producer_.send(records_of(*batch), [batch, call, in_flight = in_flight_, counters = counters_, count,
                                          id = request.id](const Status& status, std::span<const client::Delivery>) {
        in_flight->fetch_sub(count);
        (status.ok() ? counters->acknowledged : counters->unacknowledged).add(count);
        if (status.ok()) return call->answer(answer(*batch));
        log::warn("request {}: {} positions not acknowledged: {}", id, count, status.message());
        call->answer(unavailable_answer("not_acknowledged", status.message()));
      });
  if (!sent.ok()) {
    in_flight_->fetch_sub(count);
    counters_->unacknowledged.add(count);
    call->answer(unavailable_answer("not_taken", sent.message()));
  }
}

}  // namespace muir::vts
