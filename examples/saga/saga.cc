// A saga: an order is reserved in the inventory, then paid. When a step fails, or its service does not answer within 30
// seconds of the wall clock, the steps before it are undone, and so is the one whose outcome nobody knows.
//
//   order-requests ─┐                ┌─► inventory-commands   reserve, release
//   inventory-replies ─► saga, store ├─► payment-commands     charge, refund
//   payment-replies ─┘               └─► order-results        completed, failed
//
// Commands of an order have its id for their key, so each service gets them in order: a refund never overtakes its
// charge. Services take each command once, and undoing what was not done changes nothing.
//
//   muir broker & saga localhost:9092 &
//   echo 'o1:{"item":"tea","quantity":2,"customer":"ann","cents":1990}' | kcat -b localhost:9092 -P -t order-requests
//   -K: echo 'o1:{"ok":true}' | kcat -b localhost:9092 -P -t inventory-replies -K:
#include "saga/saga.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "serde/json_serde.h"
#include "streams/dsl.h"

namespace saga {

struct Request {  // key: the order's id, as everywhere here
  std::string item;
  int64_t quantity = 0;
  std::string customer;
  int64_t cents = 0;
};
inline void describe(muir::Fields& f, Request& r) {
  f("item", r.item)("quantity", r.quantity)("customer", r.customer)("cents", r.cents);
}

struct Reply {
  bool ok = false;
  std::string why;
};
inline void describe(muir::Fields& f, Reply& r) { f("ok", r.ok)("why", r.why, {.default_json = "\"\""}); }

enum class Action : unsigned char { reserve, release, charge, refund, completed, failed };
inline void describe(muir::Symbols<Action>& s) {
  s("reserve", Action::reserve)("release", Action::release)("charge", Action::charge)("refund", Action::refund);
  s("completed", Action::completed)("failed", Action::failed);
}

struct Message {
  Action action = Action::reserve;
  std::optional<Request> order{};
  std::optional<std::string> why{};
};
inline void describe(muir::Fields& f, Message& m) { f("action", m.action)("order", m.order)("why", m.why); }

enum class Phase : unsigned char { reserving, charging, over };
inline void describe(muir::Symbols<Phase>& s) {
  s("reserving", Phase::reserving)("charging", Phase::charging)("over", Phase::over);
}

struct SagaState {
  Phase phase = Phase::reserving;
  int64_t until_ms = 0;  // by the wall clock: an answer is waited for; when over, the saga is remembered
  Request order;
};
inline void describe(muir::Fields& f, SagaState& s) { f("phase", s.phase)("until_ms", s.until_ms)("order", s.order); }

}  // namespace saga

template <>
struct muir::serde<saga::Request> : muir::JsonSerde<saga::Request> {};
template <>
struct muir::serde<saga::Reply> : muir::JsonSerde<saga::Reply> {};
template <>
struct muir::serde<saga::Message> : muir::JsonSerde<saga::Message> {};
template <>
struct muir::serde<saga::SagaState> : muir::JsonSerde<saga::SagaState> {};

namespace saga {

using namespace std::chrono_literals;
using muir::Status;
using muir::streams::KeyValueStore;
using muir::streams::KeyValueStoreBuilder;
using muir::streams::PunctuationType;
using muir::streams::Record;

namespace {

constexpr int64_t kAnswerMs = 30'000;
constexpr int64_t kRememberMs = 24LL * 60 * 60 * 1000;  // requests and answers that come twice within it change nothing

// What moves a saga: one of the three topics.
struct Input {
  std::optional<Request> request{};
  std::optional<Reply> inventory{};
  std::optional<Reply> payment{};
};

class Coordinator : public muir::streams::Processor<std::string, Input, std::string, Message> {
 public:
  Status init(Context& context) override {
    sagas_ = MUIR_TRY((context.key_value_store<std::string, SagaState>("sagas")));
    // Looks at every saga; with very many of them, a second store by time would be in order.
    context.schedule(1s, PunctuationType::wall_clock_time, [this](int64_t now_ms) { return look_for_silence(now_ms); });
    return {};
  }

  Status process(const Record<std::string, Input>& record) override {
    if (record.key == nullptr || record.value == nullptr) {
      context().drop_record();
      return {};
    }
    const std::string& id = *record.key;
    const Input& input = *record.value;
    auto saga = MUIR_TRY(sagas_.get(id));
    now_ms_ = record.timestamp_ms;
    if (input.request) return saga ? Status() : begin(id, *input.request);
    if (!saga) {  // an answer to nothing
      context().drop_record();
      return {};
    }
    if (input.inventory && saga->phase == Phase::reserving) {
      if (!input.inventory->ok) return fail(id, *saga, input.inventory->why);
      return go_on(id, *saga, Phase::charging, Action::charge);
    }
    if (input.payment && saga->phase == Phase::charging) {
      if (input.payment->ok) return complete(id, *saga);
      MUIR_RETURN_IF_ERROR(send(id, {.action = Action::release, .order = saga->order}));
      return fail(id, *saga, input.payment->why);
    }
    return {};  // it comes twice, or too late: what it was about has been undone
  }

 private:
  Status begin(const std::string& id, const Request& order) {
    if (order.quantity < 1 || order.cents < 1) {  // to the dead letters
      return muir::error(muir::Code::invalid_argument, "order {}: quantity {}, {} cents", id, order.quantity,
                         order.cents);
    }
    SagaState saga{.order = order};
    return go_on(id, saga, Phase::reserving, Action::reserve);
  }

  Status go_on(const std::string& id, SagaState& saga, Phase phase, Action action) {
    saga.phase = phase;
    saga.until_ms = context().current_system_time_ms() + kAnswerMs;
    MUIR_RETURN_IF_ERROR(sagas_.put(id, saga));
    return send(id, {.action = action, .order = saga.order});
  }

  Status complete(const std::string& id, SagaState& saga) {
    MUIR_RETURN_IF_ERROR(end(id, saga));
    return send(id, {.action = Action::completed});
  }
  Status fail(const std::string& id, SagaState& saga, const std::string& why) {
    MUIR_RETURN_IF_ERROR(end(id, saga));
    return send(id, {.action = Action::failed, .why = why});
  }
  Status end(const std::string& id, SagaState& saga) {
    saga.phase = Phase::over;
    saga.until_ms = context().current_system_time_ms() + kRememberMs;
    return sagas_.put(id, saga);
  }

  Status look_for_silence(int64_t now_ms) {
    now_ms_ = now_ms;
    Status failed;
    MUIR_RETURN_IF_ERROR(sagas_.for_each([&](const std::string& id, const SagaState& saga) {
      if (saga.until_ms <= now_ms) failed = give_up(id, saga);
      return failed.ok();
    }));
    return failed;
  }

  // A service did not answer: whether it did what it was asked is not known, so it is told to undo it.
  Status give_up(const std::string& id, SagaState saga) {
    if (saga.phase == Phase::over) return sagas_.erase(id);
    const bool charging = saga.phase == Phase::charging;
    if (charging) MUIR_RETURN_IF_ERROR(send(id, {.action = Action::refund, .order = saga.order}));
    MUIR_RETURN_IF_ERROR(send(id, {.action = Action::release, .order = saga.order}));
    return fail(id, saga, charging ? "payment does not answer" : "inventory does not answer");
  }

  Status send(const std::string& id, const Message& message) {
    return context().forward({.key = &id, .value = &message, .timestamp_ms = now_ms_});
  }

  KeyValueStore<std::string, SagaState> sagas_;
  int64_t now_ms_ = 0;  // of what is under way, a record or a timer
};

std::string topic_of(const Message& message) {
  switch (message.action) {
    case Action::reserve:
    case Action::release: return "inventory-commands";
    case Action::charge:
    case Action::refund: return "payment-commands";
    case Action::completed:
    case Action::failed: return "order-results";
  }
  return "";
}

}  // namespace

muir::Result<muir::streams::Topology> topology() {
  muir::streams::StreamsBuilder builder;
  builder.add_state_store(KeyValueStoreBuilder<std::string, SagaState>{.name = "sagas"});
  const auto requests = builder.stream<std::string, Request>("order-requests").map_values([](const Request& request) {
    return Input{.request = request};
  });
  const auto inventory = builder.stream<std::string, Reply>("inventory-replies").map_values([](const Reply& reply) {
    return Input{.inventory = reply};
  });
  const auto payment = builder.stream<std::string, Reply>("payment-replies").map_values([](const Reply& reply) {
    return Input{.payment = reply};
  });
  requests.merge(inventory)
      .merge(payment)
      .process([] { return std::make_unique<Coordinator>(); }, {.name = "coordinator", .stores = {"sagas"}})
      .to(topic_of);
  return builder.build();
}

}  // namespace saga
