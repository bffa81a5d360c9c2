// What users do, enriched with who they are and with how often each has appeared: a processor with a store that keeps
// the key (so that nothing is repartitioned twice), then a table, and a table that is whole everywhere.
//
//   muir broker & user_enrichment localhost:9092 &
//   echo 'u1:{"name":"Ann","country":"PL"}' | kcat -b localhost:9092 -P -t user-names -K:
//   echo 'PL:Poland' | kcat -b localhost:9092 -P -t country-names -K:
//   echo '{"user":"u1","action":"login"}' | kcat -b localhost:9092 -P -t actions
//   kcat -b localhost:9092 -C -t actions-enriched -K:
#include "user_enrichment/user_enrichment.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "serde/json_serde.h"
#include "streams/dsl.h"

namespace user_enrichment {

struct Action {  // key: whatever the sender likes, or none
  std::string user;
  std::string action;
};
inline void describe(muir::Fields& f, Action& a) { f("user", a.user)("action", a.action); }

struct Person {  // key: the user's id
  std::string name;
  std::string country;
};
inline void describe(muir::Fields& f, Person& p) { f("name", p.name)("country", p.country); }

struct EnrichedAction {  // key: the user's id
  std::string action;
  int64_t appearance = 0;             // 1: the user's first
  std::optional<std::string> name{};  // null for users that nobody knows, as is the country
  std::optional<std::string> country{};
};
inline void describe(muir::Fields& f, EnrichedAction& a) {
  f("action", a.action)("appearance", a.appearance)("name", a.name)("country", a.country);
}

}  // namespace user_enrichment

template <>
struct muir::serde<user_enrichment::Action> : muir::JsonSerde<user_enrichment::Action> {};
template <>
struct muir::serde<user_enrichment::Person> : muir::JsonSerde<user_enrichment::Person> {};
template <>
struct muir::serde<user_enrichment::EnrichedAction> : muir::JsonSerde<user_enrichment::EnrichedAction> {};

namespace user_enrichment {

using muir::Status;
using muir::streams::KeyValueStore;
using muir::streams::KeyValueStoreBuilder;
using muir::streams::Record;

namespace {

class CountAppearances : public muir::streams::FixedKeyProcessor<std::string, Action, EnrichedAction> {
 public:
  Status init(Context& context) override {
    counts_ = MUIR_TRY((context.key_value_store<std::string, int64_t>("appearances")));
    return {};
  }
  Status process(const Record<std::string, Action>& record) override {
    const int64_t count = MUIR_TRY(counts_.get(*record.key)).value_or(0) + 1;
    MUIR_RETURN_IF_ERROR(counts_.put(*record.key, count));
    const EnrichedAction out{.action = record.value->action, .appearance = count};
    return context().forward(record.with_value(out));
  }

 private:
  KeyValueStore<std::string, int64_t> counts_;
};

}  // namespace

muir::Result<muir::streams::Topology> topology() {
  muir::streams::StreamsBuilder builder;
  builder.add_state_store(KeyValueStoreBuilder<std::string, int64_t>{.name = "appearances"});
  const auto people = builder.table<std::string, Person>("user-names");
  const auto countries = builder.global_table<std::string, std::string>("country-names");

  builder.stream<std::string, Action>("actions")
      .filter([](const Action& action) { return !action.user.empty(); })
      .select_key([](const std::string*, const Action* action) { return action->user; })
      .repartition({.name = "by-user"})
      .process_values([] { return std::make_unique<CountAppearances>(); }, {.stores = {"appearances"}})
      .left_join(people,
                 [](const EnrichedAction& action, const Person* person) {
                   EnrichedAction out = action;
                   if (person != nullptr) {
                     out.name = person->name;
                     out.country = person->country;
                   }
                   return out;
                 })
      .left_join(
          countries, [](const std::string&, const EnrichedAction& action) { return action.country.value_or(""); },
          [](const EnrichedAction& action, const std::string* country) {
            EnrichedAction out = action;
            if (country != nullptr) out.country = *country;
            return out;
          })
      .to("actions-enriched");
  return builder.build();
}

}  // namespace user_enrichment
