#include "event_sourcing/event_sourcing.h"

#include <gtest/gtest.h>

#include "serde/json_codec.h"
#include "timeline.h"

namespace examples {
namespace {

using event_sourcing::AccountView;
using event_sourcing::Bank;

template <class V>
std::string view(Timeline& timeline, const std::string& store, const std::string& key) {
  auto found = timeline.driver().key_value_store<std::string, V>(store);
  if (!found.ok()) return found.status().message();
  const auto value = found->get(key);
  if (!value.ok()) return value.status().message();
  return *value ? muir::to_json_text(**value).value() : "-";
}

TEST(EventSourcing, CommandsBecomeEventsOrRejections) {
  Timeline(event_sourcing::topology(), {.dead_letters = "dead"})
      .run({
          {"10:00:00",
           "account-commands",
           "a",
           "{'id':'c1','ask':'deposit','cents':500}",
           {"account-rejections a {'command':'c1','why':'it is not open'} @10:00:00"}},
          {"10:00:01",
           "account-commands",
           "a",
           "{'id':'c2','ask':'open'}",
           {"account-events a {'command':'c2','version':1,'what':'open','cents':0} @10:00:01"}},
          {"10:00:02",
           "account-commands",
           "a",
           "{'id':'c3','ask':'deposit','cents':500}",
           {"account-events a {'command':'c3','version':2,'what':'deposit','cents':500} @10:00:02"}},
          // The same command again changes nothing; one that was rejected is decided anew.
          {"10:00:03", "account-commands", "a", "{'id':'c3','ask':'deposit','cents':500}"},
          {"10:00:04",
           "account-commands",
           "a",
           "{'id':'c4','ask':'withdraw','cents':501}",
           {"account-rejections a {'command':'c4','why':'500 cents left'} @10:00:04"}},
          // Who decided by version 1 did not know of the deposit.
          {"10:00:05",
           "account-commands",
           "a",
           "{'id':'c5','ask':'withdraw','cents':100,'version':1}",
           {"account-rejections a {'command':'c5','why':'the account is at version 2'} @10:00:05"}},
          {"10:00:06",
           "account-commands",
           "a",
           "{'id':'c5','ask':'withdraw','cents':100,'version':2}",
           {"account-events a {'command':'c5','version':3,'what':'withdraw','cents':100} @10:00:06"}},
          {"10:00:07",
           "account-commands",
           "a",
           "{'id':'c6','ask':'close'}",
           {"account-rejections a {'command':'c6','why':'400 cents left'} @10:00:07"}},
          {"10:00:08",
           "account-commands",
           "a",
           "{'id':'c7','ask':'deposit','cents':-1}",
           {"account-rejections a {'command':'c7','why':'no amount'} @10:00:08"}},
          {"10:00:09",
           "account-commands",
           "a",
           "{'id':'c8','ask':'deposit','cents':9223372036854775807}",
           {"account-rejections a {'command':'c8','why':'too much'} @10:00:09"}},
          {"10:00:10",
           "account-commands",
           "a",
           "{'id':'c9','ask':'rob'}",
           {"dead a {'id':'c9','ask':'rob'} @10:00:10"}},
          {"10:00:11", "account-commands", "a", std::nullopt},
      });
}

TEST(EventSourcing, ViewsAreWhatTheEventsMadeOfThem) {
  Timeline timeline(event_sourcing::topology(), {.topics = {"account-rejections"}});
  timeline.run({
      {"10:00:00", "account-commands", "a", "{'id':'c1','ask':'open'}"},
      {"10:00:01", "account-commands", "b", "{'id':'c2','ask':'open'}"},
      {"10:00:02", "account-commands", "a", "{'id':'c3','ask':'deposit','cents':500}"},
      {"10:00:03", "account-commands", "a", "{'id':'c4','ask':'withdraw','cents':200}"},
      {"10:00:04", "account-commands", "b", "{'id':'c5','ask':'deposit','cents':7}"},
      {"10:00:05", "account-commands", "b", "{'id':'c6','ask':'withdraw','cents':7}"},
      {"10:00:06", "account-commands", "b", "{'id':'c7','ask':'close'}"},
  });
  const std::string a = R"({"open":true,"cents":300,"deposits":1,"withdrawals":1,"version":3})";
  const std::string b = R"({"open":false,"cents":0,"deposits":1,"withdrawals":1,"version":4})";
  const std::string bank = R"({"accounts":1,"cents":300})";
  for (const char* when : {"as they are", "on another machine"}) {
    SCOPED_TRACE(when);
    EXPECT_EQ(view<AccountView>(timeline, "account-views", "a"), a);
    EXPECT_EQ(view<AccountView>(timeline, "account-views", "b"), b);
    EXPECT_EQ(view<AccountView>(timeline, "account-views", "c"), "-");
    EXPECT_EQ(view<Bank>(timeline, "bank", "bank"), bank);
    ASSERT_TRUE(timeline.driver().restart().ok());
  }
  // The write side goes on where it was, too.
  timeline.run({{"10:00:07",
                 "account-commands",
                 "b",
                 "{'id':'c8','ask':'deposit','cents':1}",
                 {"account-rejections b {'command':'c8','why':'it is not open'} @10:00:07"}}});
}

}  // namespace
}  // namespace examples
