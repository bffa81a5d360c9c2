// Dead letters with redrive, as two applications.
//
//   charges ─► charges() ─► charges-accepted
//      ▲           └─ fails ─► charges-dead ─► redrive() ─┬─ at most three times ─► charges
//      └──────────────────────────────────────────────────┘    then ─► charges-parked, for people
//
// charges() says only what is wrong; the failure handler makes the dead letter of it: the record as it was read, with
// the reason in headers. redrive() is started when the cause is mended. It counts attempts in a header of its own,
// which a record keeps on its way, and mends what it knows how to: here, amounts that an old sender wrote as text, in
// whole units.
//
//   muir broker & dead_letters localhost:9092 &
//   echo 'c1:{"account":"a1","cents":-5}' | kcat -b localhost:9092 -P -t charges -K:
//   kcat -b localhost:9092 -C -t charges-dead -f '%k %h %s\n'
//   dead_letters redrive localhost:9092
#include "dead_letters/dead_letters.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "serde/json_codec.h"
#include "serde/json_serde.h"
#include "streams/dsl.h"

namespace dead_letters {

struct Charge {  // key: the charge's id
  std::string account;
  int64_t cents = 0;
};
inline void describe(muir::Fields& f, Charge& c) { f("account", c.account)("cents", c.cents); }

struct OldCharge {
  std::string account;
  std::string amount;  // "12.50"
};
inline void describe(muir::Fields& f, OldCharge& c) { f("account", c.account)("amount", c.amount); }

}  // namespace dead_letters

template <>
struct muir::serde<dead_letters::Charge> : muir::JsonSerde<dead_letters::Charge> {};

namespace dead_letters {

using muir::Status;
using muir::streams::Header;
using muir::streams::Headers;
using muir::streams::Record;

namespace {

constexpr std::string_view kAttempts = "redrive-attempts";
constexpr int kAttemptsMax = 3;

// "12.50" -> 1250. Nothing for what is no amount of at most nine digits before the point and two behind it.
std::optional<int64_t> cents_of(std::string_view text) {
  const size_t point = text.find('.');
  if (point == 0 || point > 9 || text.size() != point + 3) return std::nullopt;
  const std::string digits = std::string(text.substr(0, point)) + std::string(text.substr(point + 1));
  int64_t cents = 0;
  if (!std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  std::from_chars(digits.data(), digits.data() + digits.size(), cents);
  return cents;
}

// The record as it should have been; as it is, where nothing is known to mend.
std::string mended(const std::string& value) {
  const auto old = muir::from_json_text<OldCharge>(value);
  const auto cents = old.ok() ? cents_of(old->amount) : std::nullopt;
  if (!cents) return value;
  const auto text = muir::to_json_text(Charge{old->account, *cents});
  return text.ok() ? *text : value;
}

class Redrive : public muir::streams::Processor<std::string, std::string, std::string, std::string> {
 public:
  Status process(const Record<std::string, std::string>& record) override {
    const int attempts = attempts_of(record.headers);
    if (attempts >= kAttemptsMax) return context().forward(record, "parked");
    // The reasons of this time stay behind; those of the next are added then.
    const std::string count = std::to_string(attempts + 1);
    std::vector<Header> headers;
    for (const Header& header : record.headers) {
      if (!header.name.starts_with("__streams.errors.") && header.name != kAttempts) headers.push_back(header);
    }
    headers.push_back({kAttempts, count});
    if (record.value == nullptr) return context().forward(record.with_headers(headers), "again");
    const std::string value = mended(*record.value);
    return context().forward(record.with_value(value).with_headers(headers), "again");
  }

 private:
  static int attempts_of(Headers headers) {
    int attempts = 0;
    for (const Header& header : headers) {
      if (header.name != kAttempts || !header.value) continue;
      std::from_chars(header.value->data(), header.value->data() + header.value->size(), attempts);
    }
    return attempts;
  }
};

}  // namespace

muir::Result<muir::streams::Topology> charges() {
  muir::streams::StreamsBuilder builder;
  builder.stream<std::string, Charge>("charges")
      .peek([](const std::string& id, const Charge& charge) {
        if (charge.cents < 1)
          throw std::invalid_argument("charge " + id + " of " + std::to_string(charge.cents) + " cents");
      })
      .to("charges-accepted");
  return builder.build();
}

muir::Result<muir::streams::Topology> redrive() {
  muir::streams::StreamsBuilder builder;
  const auto letters =
      builder.stream<std::string, std::string>("charges-dead").process([] { return std::make_unique<Redrive>(); });
  letters.to("charges", {.name = "again"});
  letters.to("charges-parked", {.name = "parked"});
  return builder.build();
}

}  // namespace dead_letters
