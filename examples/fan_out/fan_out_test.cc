#include "fan_out/fan_out.h"

#include <gtest/gtest.h>

#include <optional>

#include "timeline.h"

namespace examples {
namespace {

TEST(FanOut, EachSubscriberGetsTheMessageInItsOwnWay) {
  Timeline(fan_out::topology(), {.dead_letters = "dead"})
      .run({
          {"10:00:00", "announcements", "news", "too early", {"announced news {'announcements':1} @10:00:00"}},
          {"10:00:01", "subscribers", "news",
           "{'all':[{'user':'ann','way':'mail'},{'user':'bob','way':'push'},{'user':'eve','way':'mail'}]}"},
          {"10:00:02",
           "announcements",
           "news",
           "it rains",
           {"announced news {'announcements':2} @10:00:02",
            "notify-mail ann {'channel':'news','way':'mail','text':'it rains'} @10:00:02",
            "notify-mail eve {'channel':'news','way':'mail','text':'it rains'} @10:00:02",
            "notify-push bob {'channel':'news','way':'push','text':'it rains'} @10:00:02"}},
          {"10:00:03", "announcements", "sport", "nobody listens", {"announced sport {'announcements':1} @10:00:03"}},
          // Subscribers change their minds; the row is replaced as a whole.
          {"10:00:04", "subscribers", "news", "{'all':[{'user':'ann','way':'sms'}]}"},
          {"10:00:05",
           "announcements",
           "news",
           "it pours",
           {"announced news {'announcements':3} @10:00:05",
            "notify-sms ann {'channel':'news','way':'sms','text':'it pours'} @10:00:05"}},
          // A way that there is not does not change the row.
          {"10:00:06",
           "subscribers",
           "news",
           "{'all':[{'user':'ann','way':'pigeon'}]}",
           {"dead news {'all':[{'user':'ann','way':'pigeon'}]} @10:00:06"}},
          {"10:00:07", "announcements", "news", std::nullopt},
          {"10:00:08", "subscribers", "news", std::nullopt},
          {"10:00:09", "announcements", "news", "too late", {"announced news {'announcements':4} @10:00:09"}},
      });
}

}  // namespace
}  // namespace examples
