#include "outbox/outbox.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "timeline.h"

namespace examples {
namespace {

std::string row(const std::string& about, const std::string& key, const std::string& type) {
  return "{'about':'" + about + "','key':'" + key + "','type':'" + type + "','payload':'" + type + " of " + key + "'}";
}

TEST(Outbox, RowsAreSentOnceToTheTopicOfWhatTheyAreAbout) {
  Timeline timeline(outbox::topology(), {.dead_letters = "dead", .headers = {"event-id", "event-type"}});
  timeline.run({
      {"10:00:00",
       "outbox",
       "r1",
       row("order", "o7", "OrderPlaced"),
       {"order-events o7 OrderPlaced of o7 event-id=r1 event-type=OrderPlaced @10:00:00",
        "outbox-sent r1 order-events @10:00:00"}},
      {"10:00:01",
       "outbox",
       "r2",
       row("customer", "c1", "CustomerMoved"),
       {"customer-events c1 CustomerMoved of c1 event-id=r2 event-type=CustomerMoved @10:00:01",
        "outbox-sent r2 customer-events @10:00:01"}},
      // The capture sends r1 again: it is told that it was sent, and that is all.
      {"10:00:02", "outbox", "r1", row("order", "o7", "OrderPlaced"), {"outbox-sent r1 order-events @10:00:02"}},
      {"10:00:03", "outbox", "r1", std::nullopt},  // the row is deleted
      // Nobody knows what this is about; and what is no row.
      {"10:00:04",
       "outbox",
       "r3",
       row("weather", "w1", "Rain"),
       {"dead r3 " + row("weather", "w1", "Rain") + " @10:00:04"}},
      {"10:00:05", "outbox", "r4", "rain", {"dead r4 rain @10:00:05"}},
      {"10:00:06",
       "outbox",
       std::nullopt,
       row("order", "o8", "OrderPlaced"),
       {"dead - " + row("order", "o8", "OrderPlaced") + " @10:00:06"}},
  });
  ASSERT_TRUE(timeline.driver().restart().ok());  // what was sent is known on another machine
  timeline.run({
      {"10:00:07",
       "outbox",
       "r2",
       row("customer", "c1", "CustomerMoved"),
       {"outbox-sent r2 customer-events @10:00:07"}},
      {"10:00:07",
       "outbox",
       "r5",
       row("order", "o7", "OrderPaid"),
       {"order-events o7 OrderPaid of o7 event-id=r5 event-type=OrderPaid @10:00:07",
        "outbox-sent r5 order-events @10:00:07"}},
      // More than a day after it was sent, a row is one that nobody knows.
      {"34:00:01",
       "outbox",
       "r1",
       row("order", "o7", "OrderPlaced"),
       {"order-events o7 OrderPlaced of o7 event-id=r1 event-type=OrderPlaced @34:00:01",
        "outbox-sent r1 order-events @34:00:01"}},
  });
}

}  // namespace
}  // namespace examples
