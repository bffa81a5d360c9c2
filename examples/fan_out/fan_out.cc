// One message to each of its subscribers, each by the way that it wants: a join with who subscribed, one record for
// each of them, and topics that are chosen by the record. Beside it, the same stream feeds a count that knows nothing
// of that.
//
//   muir broker & fan_out localhost:9092 &
//   echo 'news:{"all":[{"user":"ann","way":"mail"},{"user":"bob","way":"push"}]}' | kcat -b localhost:9092 -P -t
//   subscribers -K: echo 'news:it rains' | kcat -b localhost:9092 -P -t announcements -K: kcat -b localhost:9092 -C -t
//   notify-mail -K:
#include "fan_out/fan_out.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "serde/json_serde.h"
#include "streams/dsl.h"

namespace fan_out {

enum class Way : unsigned char { mail, push, sms };
inline void describe(muir::Symbols<Way>& s) { s("mail", Way::mail)("push", Way::push)("sms", Way::sms); }

struct Subscriber {
  std::string user;
  Way way = Way::mail;
};
inline void describe(muir::Fields& f, Subscriber& s) { f("user", s.user)("way", s.way); }

struct Subscribers {  // key: the channel
  std::vector<Subscriber> all;
};
inline void describe(muir::Fields& f, Subscribers& s) { f("all", s.all); }

struct Notification {  // key: the user
  std::string channel;
  Way way = Way::mail;
  std::string text;
};
inline void describe(muir::Fields& f, Notification& n) { f("channel", n.channel)("way", n.way)("text", n.text); }

struct Announced {  // key: the channel
  int64_t announcements = 0;
};
inline void describe(muir::Fields& f, Announced& a) { f("announcements", a.announcements); }

}  // namespace fan_out

template <>
struct muir::serde<fan_out::Subscribers> : muir::JsonSerde<fan_out::Subscribers> {};
template <>
struct muir::serde<fan_out::Notification> : muir::JsonSerde<fan_out::Notification> {};
template <>
struct muir::serde<fan_out::Announced> : muir::JsonSerde<fan_out::Announced> {};

namespace fan_out {

namespace {

struct Addressed {
  std::string text;
  std::vector<Subscriber> to;
};

std::string topic_of(const Notification& notification) {
  switch (notification.way) {
    case Way::mail: return "notify-mail";
    case Way::push: return "notify-push";
    case Way::sms: return "notify-sms";
  }
  return "";  // no topic: a production failure of the record
}

}  // namespace

muir::Result<muir::streams::Topology> topology() {
  muir::streams::StreamsBuilder builder;
  const auto subscribers = builder.table<std::string, Subscribers>("subscribers");
  const auto announcements = builder.stream<std::string, std::string>("announcements");

  // A channel without subscribers is in no row of the table: its announcements end here.
  announcements
      .join(subscribers,
            [](const std::string& text, const Subscribers& to) {
              return Addressed{text, to.all};
            })
      .flat_map([](const std::string& channel, const Addressed& message) {
        std::vector<std::pair<std::string, Notification>> out;
        for (const Subscriber& to : message.to) out.emplace_back(to.user, Notification{channel, to.way, message.text});
        return out;
      })
      .to(topic_of);

  announcements.group_by_key()
      .count({.store = "announced"})
      .to_stream()
      .map_values([](int64_t count) { return Announced{count}; })
      .to("announced");
  return builder.build();
}

}  // namespace fan_out
