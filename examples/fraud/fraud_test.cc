#include "fraud/fraud.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "timeline.h"

namespace examples {
namespace {

std::string payment(const std::string& id, int cents, const std::string& city = "Oslo") {
  return "{'id':'" + id + "','cents':" + std::to_string(cents) + ",'city':'" + city + "'}";
}

TEST(Fraud, AmountsAreComparedWithTheAverageOfAtLeastThree) {
  Timeline(fraud::topology(), {.dead_letters = "dead", .topics = {"fraud-alerts", "dead"}})
      .run({
          {"10:00:00", "payments", "c1", payment("p1", 100)},
          {"10:05:00", "payments", "c1", payment("p2", 900)},  // of one there is no average
          {"10:10:00", "payments", "c1", payment("p3", 200)},
          {"10:15:00", "payments", "c1", payment("p4", 1200)},  // three times the average of 400, and not more
          // The average is 600 now.
          {"10:20:00",
           "payments",
           "c1",
           payment("p5", 1801),
           {"fraud-alerts c1 {'payment':'p5','rule':'amount','why':'1801 cents, 600 on average'} @10:20:00"}},
          // p5 has not become a habit.
          {"10:25:00",
           "payments",
           "c1",
           payment("p6", 1801),
           {"fraud-alerts c1 {'payment':'p6','rule':'amount','why':'1801 cents, 600 on average'} @10:25:00"}},
          {"10:25:00", "payments", "c2", payment("p7", 100'000)},
          {"10:26:00", "payments", "c2", payment("p8", 0), {"dead c2 {'id':'p8','cents':0,'city':'Oslo'} @10:26:00"}},
          {"10:27:00", "payments", "c2", "much", {"dead c2 much @10:27:00"}},
          {"10:28:00", "payments", "c2", std::nullopt},
          {"10:29:00", "payments", std::nullopt, payment("p9", 100)},
      });
}

TEST(Fraud, TheSixthPaymentOfAMinuteIsOneTooMany) {
  Timeline(fraud::topology(), {.topics = {"fraud-alerts"}})
      .run({
          {"10:00:00", "payments", "c1", payment("p1", 100)},
          {"10:00:01", "payments", "c1", payment("p2", 100)},
          {"10:00:01", "payments", "c1", payment("p3", 100)},
          {"10:00:02", "payments", "c1", payment("p4", 100)},
          {"10:00:03", "payments", "c1", payment("p5", 100)},
          {"10:00:03", "payments", "c1", payment("p5", 100)},  // the same once more
          {"10:00:03", "payments", "c2", payment("q1", 100)},
          {"10:01:00", "payments", "c1", payment("p6", 100)},  // p1 is a minute old
          {"10:00:59",
           "payments",
           "c1",
           payment("p7", 100),  // late, and yet the sixth since p1
           {"fraud-alerts c1 {'payment':'p7','rule':'velocity','why':'6 payments in a minute'} @10:00:59"}},
      });
}

TEST(Fraud, OneCardIsNotInTwoCitiesWithinHalfAnHour) {
  Timeline(fraud::topology(), {.topics = {"fraud-alerts"}})
      .run({
          {"10:00:00", "payments", "c1", payment("p1", 100, "Oslo")},
          {"10:30:01", "payments", "c1", payment("p2", 100, "Bergen")},
          {"10:40:00",
           "payments",
           "c1",
           payment("p3", 100, "Oslo"),
           {"fraud-alerts c1 {'payment':'p3','rule':'place','why':'Oslo, and p2 in Bergen'} @10:40:00"}},
          // A late one, from between.
          {"10:20:00",
           "payments",
           "c1",
           payment("p4", 100, "Rome"),
           {"fraud-alerts c1 {'payment':'p4','rule':'place','why':'Rome, and p3 in Oslo'} @10:20:00"}},
          // More than half an hour late: dropped.
          {"10:09:59", "payments", "c1", payment("p5", 100, "Paris")},
      });
}

TEST(Fraud, CardsAreHeldForTenMinutesOfTheWallClock) {
  Timeline timeline(fraud::topology(), {.topics = {"card-holds"}});
  timeline.run({
      {"10:00:00", kWallClock},
      {"09:00:00", "payments", "c1", payment("p1", 100, "Oslo")},
      {"09:10:00",
       "payments",
       "c1",
       payment("p2", 100, "Rome"),
       {"card-holds c1 {'payment':'p2','rule':'place','why':'Rome, and p1 in Oslo'} @09:10:00"}},
      {"10:09:50", kWallClock},
  });
  ASSERT_TRUE(timeline.driver().restart().ok());  // holds outlive the task
  timeline.run({
      {"10:10:00", kWallClock, {}, {}, {"card-holds c1 - @10:10:00"}},
      {"10:20:00", kWallClock},
  });
}

TEST(Fraud, HabitsOfCardsThatAreNotUsedAreForgotten) {
  Timeline timeline(fraud::topology());
  timeline.run({{"00:00:00", "payments", "c1", payment("p1", 100)},
                {"2159:00:00", "payments", "c2", payment("p2", 100)}});  // 90 days are 2160 hours
  auto habits = timeline.driver().key_value_store<std::string, std::string>("habits");
  ASSERT_TRUE(habits.ok());
  EXPECT_TRUE(habits->get("c1")->has_value());
  timeline.run({{"2184:00:00", "payments", "c2", payment("p3", 100)}});
  EXPECT_FALSE(habits->get("c1")->has_value());
  EXPECT_TRUE(habits->get("c2")->has_value());
}

}  // namespace
}  // namespace examples
