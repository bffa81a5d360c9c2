// The relay of a transactional outbox. A service writes its data and, in the same database transaction, a row into the
// table "outbox"; a change capture copies the rows into a topic. The relay sends each row's event once to the topic of
// what it is about, under the key of that, and tells that it did, so that the row may be deleted.
//
//   outbox ─► relay ─┬─► order-events, customer-events    headers: event-id, event-type
//   (rows)           └─► outbox-sent                      key: the row
//
//   muir broker & outbox localhost:9092 &
//   echo 'r1:{"about":"order","key":"o7","type":"OrderPaid","payload":"{}"}' | kcat -b localhost:9092 -P -t outbox -K:
//   kcat -b localhost:9092 -C -t order-events -f '%k %h %s\n'
#include "outbox/outbox.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "serde/json_serde.h"
#include "streams/dsl.h"

namespace outbox {

struct OutboxRow {  // key: the row's id
  std::string about;
  std::string key;
  std::string type;
  std::string payload;
};
inline void describe(muir::Fields& f, OutboxRow& r) {
  f("about", r.about)("key", r.key)("type", r.type)("payload", r.payload);
}

}  // namespace outbox

template <>
struct muir::serde<outbox::OutboxRow> : muir::JsonSerde<outbox::OutboxRow> {};

namespace outbox {

using namespace std::chrono_literals;
using muir::Status;
using muir::streams::Header;
using muir::streams::Record;
using muir::streams::WindowStore;
using muir::streams::WindowStoreBuilder;

namespace {

constexpr int64_t kDayMs = 24LL * 60 * 60 * 1000;

// Where events about something go: the topic, which is also its sink's name.
const std::map<std::string, std::string> kTopics{{"order", "order-events"}, {"customer", "customer-events"}};

// A capture that starts anew sends rows again. Those of a day are known.
class Relay : public muir::streams::Processor<std::string, OutboxRow, std::string, std::string> {
 public:
  Status init(Context& context) override {
    sent_ = MUIR_TRY((context.window_store<std::string, std::string>("sent-rows")));
    return {};
  }
  Status process(const Record<std::string, OutboxRow>& record) override {
    if (record.key == nullptr) {
      return muir::error(muir::Code::invalid_argument, "an outbox row without id");
    }
    if (record.value == nullptr) return {};  // the row was deleted, as it may when it was sent
    const OutboxRow& row = *record.value;
    const auto topic = kTopics.find(row.about);
    if (topic == kTopics.end()) {  // to the dead letters
      return muir::error(muir::Code::invalid_argument, "outbox row {}: nothing is known about '{}'", *record.key,
                         row.about);
    }
    if (!MUIR_TRY(was_sent(*record.key, record.timestamp_ms))) {
      const std::vector<Header> headers{{"event-id", *record.key}, {"event-type", row.type}};
      MUIR_RETURN_IF_ERROR(
          context().forward(record.with_value(row.payload).with_key(row.key).with_headers(headers), topic->second));
      MUIR_RETURN_IF_ERROR(sent_.put(*record.key, topic->second, record.timestamp_ms));
    }
    // Told again when the row comes again: whoever deletes it may not have heard.
    return context().forward(record.with_value(topic->second), "outbox-sent");
  }

 private:
  muir::Result<bool> was_sent(const std::string& id, int64_t ms) const {
    bool found = false;
    MUIR_RETURN_IF_ERROR(sent_.fetch(id, ms - kDayMs, ms + kDayMs, [&](auto, const std::string&) {
      found = true;
      return false;
    }));
    return found;
  }

  WindowStore<std::string, std::string> sent_;
};

}  // namespace

muir::Result<muir::streams::Topology> topology() {
  muir::streams::StreamsBuilder builder;
  builder.add_state_store(
      WindowStoreBuilder<std::string, std::string>{.name = "sent-rows", .window_size = 1ms, .retention = 48h});
  const auto relayed = builder.stream<std::string, OutboxRow>("outbox").process(
      [] { return std::make_unique<Relay>(); }, {.name = "relay", .stores = {"sent-rows"}});
  for (const auto& [about, topic] : kTopics) relayed.to(topic, {.name = topic});
  relayed.to("outbox-sent", {.name = "outbox-sent"});
  return builder.build();
}

}  // namespace outbox
