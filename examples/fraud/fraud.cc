// Fraud detection with the Processor API. A payment is suspicious when
//   amount    it is more than three times the average of its card's payments, of which there are at least three;
//   velocity  it is the sixth of its card within a minute, or a later one;
//   place     its card was used in another city within half an hour.
// Each rule that it breaks is an alert, and puts the card on hold for ten minutes of the wall clock: "card-holds" is a
// table whose rows are the cards that are held; the end of a hold is a deletion.
//
//   muir broker & fraud localhost:9092 &
//   echo 'card-1:{"id":"p1","cents":1250,"city":"Warsaw"}' | kcat -b localhost:9092 -P -t payments -K:
//   kcat -b localhost:9092 -C -t fraud-alerts -K:
#include "fraud/fraud.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "serde/json_serde.h"
#include "streams/dsl.h"

namespace fraud {

struct Payment {  // key: the card
  std::string id;
  int64_t cents = 0;
  std::string city;
};
inline void describe(muir::Fields& f, Payment& p) { f("id", p.id)("cents", p.cents)("city", p.city); }

// A card's payments of one millisecond.
struct Payments {
  std::vector<Payment> all;
};
inline void describe(muir::Fields& f, Payments& p) { f("all", p.all); }

// What is usual for a card.
struct Habits {
  int64_t count = 0;
  int64_t cents = 0;
  int64_t last_ms = 0;
};
inline void describe(muir::Fields& f, Habits& h) { f("count", h.count)("cents", h.cents)("last_ms", h.last_ms); }

struct Alert {  // key: the card
  std::string payment;
  std::string rule;
  std::string why;
};
inline void describe(muir::Fields& f, Alert& a) { f("payment", a.payment)("rule", a.rule)("why", a.why); }

}  // namespace fraud

template <>
struct muir::serde<fraud::Payment> : muir::JsonSerde<fraud::Payment> {};
template <>
struct muir::serde<fraud::Payments> : muir::JsonSerde<fraud::Payments> {};
template <>
struct muir::serde<fraud::Habits> : muir::JsonSerde<fraud::Habits> {};
template <>
struct muir::serde<fraud::Alert> : muir::JsonSerde<fraud::Alert> {};

namespace fraud {

using namespace std::chrono_literals;
using muir::Status;
using muir::streams::KeyValueStore;
using muir::streams::KeyValueStoreBuilder;
using muir::streams::PunctuationType;
using muir::streams::Record;
using muir::streams::Window;
using muir::streams::WindowStore;
using muir::streams::WindowStoreBuilder;

namespace {

constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kNearMs = 30 * kMinuteMs;  // of the rule "place"; also how late a payment may be
constexpr int64_t kHoldMs = 10 * kMinuteMs;
constexpr int64_t kForgetMs = 90 * 24 * 60 * kMinuteMs;
constexpr int64_t kCentsMax = 1'000'000'000;
constexpr int64_t kHabitsMax = 1'000;  // payments; with kCentsMax no sum overflows
constexpr size_t kPaymentsPerMinute = 5;

class FraudDetector : public muir::streams::Processor<std::string, Payment, std::string, Alert> {
 public:
  Status init(Context& context) override {
    recent_ = MUIR_TRY((context.window_store<std::string, Payments>("recent-payments")));
    habits_ = MUIR_TRY((context.key_value_store<std::string, Habits>("habits")));
    holds_ = MUIR_TRY((context.key_value_store<std::string, int64_t>("holds")));
    context.schedule(24h, PunctuationType::stream_time, [this](int64_t now_ms) { return forget(now_ms); });
    context.schedule(10s, PunctuationType::wall_clock_time, [this](int64_t now_ms) { return lift_holds(now_ms); });
    return {};
  }

  Status process(const Record<std::string, Payment>& record) override {
    if (record.key == nullptr || record.value == nullptr ||
        record.timestamp_ms < context().current_stream_time_ms() - kNearMs) {
      context().drop_record();
      return {};
    }
    const Payment& payment = *record.value;
    if (payment.cents < 1 || payment.cents > kCentsMax) {  // to the dead letters
      return muir::error(muir::Code::invalid_argument, "payment {}: {} cents", payment.id, payment.cents);
    }
    const auto around = MUIR_TRY(payments_around(*record.key, record.timestamp_ms));
    if (std::any_of(around.begin(), around.end(), [&](const Timed& one) { return one.payment.id == payment.id; })) {
      return {};  // it came twice
    }
    MUIR_RETURN_IF_ERROR(remember(*record.key, payment, record.timestamp_ms));
    MUIR_RETURN_IF_ERROR(check_amount(record));
    MUIR_RETURN_IF_ERROR(check_velocity(record, around));
    return check_place(record, around);
  }

 private:
  struct Timed {
    int64_t ms;
    Payment payment;
  };

  // Earlier ones and, when the record is late, later ones.
  muir::Result<std::vector<Timed>> payments_around(const std::string& card, int64_t ms) {
    std::vector<Timed> out;
    MUIR_RETURN_IF_ERROR(recent_.fetch(card, ms - kNearMs, ms + kNearMs, [&](Window window, const Payments& payments) {
      for (const Payment& payment : payments.all) out.push_back({window.start_ms, payment});
    }));
    return out;
  }

  // A window store has one row per key and time, so two payments of one millisecond share it.
  Status remember(const std::string& card, const Payment& payment, int64_t ms) {
    const auto found = MUIR_TRY(recent_.fetch(card, ms));
    Payments payments = found ? found->value : Payments{};
    payments.all.push_back(payment);
    return recent_.put(card, payments, ms);
  }

  // What is suspicious does not become a habit.
  Status check_amount(const Record<std::string, Payment>& record) {
    const int64_t cents = record.value->cents;
    Habits habits = MUIR_TRY(habits_.get(*record.key)).value_or(Habits{});
    habits.last_ms = std::max(habits.last_ms, record.timestamp_ms);
    const bool suspicious = habits.count >= 3 && cents * habits.count > 3 * habits.cents;
    if (!suspicious) {
      if (habits.count == kHabitsMax) {  // the older half of the weight is left behind
        habits.count /= 2;
        habits.cents /= 2;
      }
      ++habits.count;
      habits.cents += cents;
    }
    MUIR_RETURN_IF_ERROR(habits_.put(*record.key, habits));
    if (!suspicious) return {};
    return alert(record, "amount", fmt::format("{} cents, {} on average", cents, habits.cents / habits.count));
  }

  Status check_velocity(const Record<std::string, Payment>& record, const std::vector<Timed>& around) {
    const auto within = [&](const Timed& one) {
      return one.ms > record.timestamp_ms - kMinuteMs && one.ms <= record.timestamp_ms;
    };
    const auto count = static_cast<size_t>(std::count_if(around.begin(), around.end(), within)) + 1;
    if (count <= kPaymentsPerMinute) return {};
    return alert(record, "velocity", fmt::format("{} payments in a minute", count));
  }

  Status check_place(const Record<std::string, Payment>& record, const std::vector<Timed>& around) {
    const auto elsewhere = std::find_if(around.rbegin(), around.rend(),
                                        [&](const Timed& one) { return one.payment.city != record.value->city; });
    if (elsewhere == around.rend()) return {};
    return alert(record, "place",
                 fmt::format("{}, and {} in {}", record.value->city, elsewhere->payment.id, elsewhere->payment.city));
  }

  Status alert(const Record<std::string, Payment>& record, const std::string& rule, const std::string& why) {
    const Alert alert{record.value->id, rule, why};
    MUIR_RETURN_IF_ERROR(context().forward(record.with_value(alert), "alerts"));
    MUIR_RETURN_IF_ERROR(holds_.put(*record.key, context().current_system_time_ms() + kHoldMs));
    return context().forward(record.with_value(alert), "holds");
  }

  Status lift_holds(int64_t now_ms) {
    return each_key_where(
        holds_, [&](int64_t until_ms) { return until_ms <= now_ms; },
        [&](const std::string& card) {
          MUIR_RETURN_IF_ERROR(holds_.erase(card));
          return context().forward({.key = &card, .timestamp_ms = now_ms}, "holds");
        });
  }

  Status forget(int64_t now_ms) {
    return each_key_where(
        habits_, [&](const Habits& habits) { return habits.last_ms <= now_ms - kForgetMs; },
        [&](const std::string& card) { return habits_.erase(card); });
  }

  // A walk's function yields whether to go on, so a failure in it is kept until the walk is over.
  template <class V, class Holds, class Act>
  static Status each_key_where(const KeyValueStore<std::string, V>& store, Holds holds, Act act) {
    Status failed;
    MUIR_RETURN_IF_ERROR(store.for_each([&](const std::string& key, const V& value) {
      if (holds(value)) failed = act(key);
      return failed.ok();
    }));
    return failed;
  }

  WindowStore<std::string, Payments> recent_;
  KeyValueStore<std::string, Habits> habits_;
  KeyValueStore<std::string, int64_t> holds_;  // until when, by the wall clock
};

}  // namespace

muir::Result<muir::streams::Topology> topology() {
  muir::streams::StreamsBuilder builder;
  builder.add_state_store(
      WindowStoreBuilder<std::string, Payments>{.name = "recent-payments", .window_size = 1ms, .retention = 2h});
  builder.add_state_store(KeyValueStoreBuilder<std::string, Habits>{.name = "habits"});
  builder.add_state_store(KeyValueStoreBuilder<std::string, int64_t>{.name = "holds"});
  const auto found = builder.stream<std::string, Payment>("payments")
                         .process([] { return std::make_unique<FraudDetector>(); },
                                  {.name = "detector", .stores = {"recent-payments", "habits", "holds"}});
  found.to("fraud-alerts", {.name = "alerts"});
  found.to("card-holds", {.name = "holds"});
  return builder.build();
}

}  // namespace fraud
