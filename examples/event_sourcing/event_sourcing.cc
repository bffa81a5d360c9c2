// Event sourcing with CQRS. The write side decides: a command becomes an event or a rejection, by what the account's
// events have made of it. The read side follows the topic of events and makes of it what people ask for: one view per
// account, and one of the whole bank. More views may be added later; they read the events from the beginning.
//
//   commands ─► decide (store: accounts) ─► account-events ─► views (stores: account-views, bank) ─► queries
//                     └─► account-rejections
//
//   muir broker & event_sourcing localhost:9092        answers the names of accounts, and "bank", line by line
//   echo 'acc-1:{"id":"c1","ask":"open"}' | kcat -b localhost:9092 -P -t account-commands -K:
//   echo 'acc-1:{"id":"c2","ask":"deposit","cents":500}' | kcat -b localhost:9092 -P -t account-commands -K:
#include "event_sourcing/event_sourcing.h"

#include <algorithm>
#include <memory>

#include "streams/dsl.h"

namespace event_sourcing {

using muir::Status;
using muir::streams::KeyValueStore;
using muir::streams::KeyValueStoreBuilder;
using muir::streams::KStream;
using muir::streams::Record;
using muir::streams::StreamsBuilder;

namespace {

constexpr size_t kCommandsKept = 20;
constexpr int64_t kCentsMax = 1'000'000'000'000;  // in one account; keeps the sums from overflowing

// One of the two is there.
struct Decision {
  std::optional<Event> event{};
  std::optional<Rejection> rejection{};
};

// The rules of the business, and nothing else: why a command is rejected, or nothing.
std::string objection(const Command& command, const Account& account) {
  const bool moves = command.ask == Ask::deposit || command.ask == Ask::withdraw;
  if (command.version && *command.version != account.version) {
    return fmt::format("the account is at version {}", account.version);
  }
  if (command.ask == Ask::open) return account.open ? "it is open already" : "";
  if (!account.open) return "it is not open";
  if (moves && command.cents.value_or(0) < 1) return "no amount";
  if (command.ask == Ask::deposit && *command.cents > kCentsMax - account.cents) return "too much";
  if (command.ask == Ask::withdraw && *command.cents > account.cents)
    return fmt::format("{} cents left", account.cents);
  if (command.ask == Ask::close && account.cents != 0) return fmt::format("{} cents left", account.cents);
  return "";
}

class Decide : public muir::streams::FixedKeyProcessor<std::string, Command, Decision> {
 public:
  Status init(Context& context) override {
    accounts_ = MUIR_TRY((context.key_value_store<std::string, Account>("accounts")));
    return {};
  }
  Status process(const Record<std::string, Command>& record) override {
    if (record.key == nullptr || record.value == nullptr) {
      context().drop_record();
      return {};
    }
    const Command& command = *record.value;
    Account account = MUIR_TRY(accounts_.get(*record.key)).value_or(Account{});
    if (std::count(account.commands.begin(), account.commands.end(), command.id) > 0) return {};  // it came twice
    Decision decision;
    if (const std::string why = objection(command, account); !why.empty()) {
      decision.rejection = Rejection{command.id, why};
    } else {
      const bool moves = command.ask == Ask::deposit || command.ask == Ask::withdraw;
      decision.event = Event{command.id, account.version + 1, command.ask, moves ? *command.cents : 0};
      apply(*decision.event, account);
      MUIR_RETURN_IF_ERROR(accounts_.put(*record.key, account));
    }
    return context().forward(record.with_value(decision));
  }

 private:
  KeyValueStore<std::string, Account> accounts_;
};

void write_side(StreamsBuilder& builder) {
  builder.add_state_store(KeyValueStoreBuilder<std::string, Account>{.name = "accounts"});
  const auto decisions =
      builder.stream<std::string, Command>("account-commands")
          .process_values([] { return std::make_unique<Decide>(); }, {.name = "decide", .stores = {"accounts"}});
  decisions.filter([](const Decision& decision) { return decision.event.has_value(); })
      .map_values([](const Decision& decision) { return *decision.event; })
      .to("account-events");
  decisions.filter([](const Decision& decision) { return decision.rejection.has_value(); })
      .map_values([](const Decision& decision) { return *decision.rejection; })
      .to("account-rejections");
}

void add_to_view(const Event& event, AccountView& view) {
  view.version = event.version;
  if (event.what == Ask::open || event.what == Ask::close) view.open = event.what == Ask::open;
  if (event.what == Ask::deposit) {
    ++view.deposits;
    view.cents += event.cents;
  }
  if (event.what == Ask::withdraw) {
    ++view.withdrawals;
    view.cents -= event.cents;
  }
}

void add_to_bank(const Event& event, Bank& bank) {
  switch (event.what) {
    case Ask::open: ++bank.accounts; break;
    case Ask::close: --bank.accounts; break;
    case Ask::deposit: bank.cents += event.cents; break;
    case Ask::withdraw: bank.cents -= event.cents; break;
  }
}

void read_side(StreamsBuilder& builder) {
  const auto events = builder.stream<std::string, Event>("account-events");
  events.group_by_key().aggregate(AccountView{}, add_to_view, {.store = "account-views"});
  events.group_by([](const Event&) { return std::string("bank"); }, {.name = "as-one"})
      .aggregate(Bank{}, add_to_bank, {.store = "bank"});
}

}  // namespace

void apply(const Event& event, Account& account) {
  account.version = event.version;
  if (event.what == Ask::open || event.what == Ask::close) account.open = event.what == Ask::open;
  if (event.what == Ask::deposit) account.cents += event.cents;
  if (event.what == Ask::withdraw) account.cents -= event.cents;
  account.commands.push_back(event.command);
  if (account.commands.size() > kCommandsKept) account.commands.erase(account.commands.begin());
}

muir::Result<muir::streams::Topology> topology() {
  StreamsBuilder builder;
  write_side(builder);
  read_side(builder);
  return builder.build();
}

}  // namespace event_sourcing
