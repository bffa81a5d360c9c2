#include "dead_letters/dead_letters.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "timeline.h"

namespace examples {
namespace {

const std::vector<std::string> kShown{"source", "redrive-attempts", "__streams.errors.exception",
                                      "__streams.errors.message", "__streams.errors.topic"};

TEST(DeadLetters, AreTheRecordsWithWhatWasWrong) {
  Timeline(dead_letters::charges(), {.dead_letters = "charges-dead", .headers = kShown})
      .run({
          {"10:00:00",
           "charges",
           "c1",
           "{'account':'a1','cents':500}",
           {"charges-accepted c1 {'account':'a1','cents':500} @10:00:00"}},
          {"10:00:01",
           "charges",
           "c2",
           "{'account':'a1','cents':-5}",
           {"charges-dead c2 {'account':'a1','cents':-5} __streams.errors.exception=processing: invalid argument "
            "__streams.errors.message=charge c2 of -5 cents __streams.errors.topic=charges @10:00:01"}},
          {"10:00:02",
           "charges",
           "c3",
           "{'account':'a1','amount':'12.50'}",
           {"charges-dead c3 {'account':'a1','amount':'12.50'} source=till "
            "__streams.errors.exception=deserialization: invalid argument "
            "__streams.errors.message=deserialize value: deserialize topic=charges: read JSON at /cents: the member is "
            "missing __streams.errors.topic=charges @10:00:02"},
           {{"source", "till"}}},
          // What was tried before keeps its number of attempts.
          {"10:00:03",
           "charges",
           "c2",
           "{'account':'a1','cents':-5}",
           {"charges-dead c2 {'account':'a1','cents':-5} redrive-attempts=2 "
            "__streams.errors.exception=processing: invalid argument "
            "__streams.errors.message=charge c2 of -5 cents __streams.errors.topic=charges @10:00:03"},
           {{"redrive-attempts", "2"}}},
      });
}

TEST(DeadLetters, AreMendedAndTriedThreeTimes) {
  Timeline(dead_letters::redrive(), {.headers = kShown})
      .run({
          {"11:00:00",
           "charges-dead",
           "c3",
           "{'account':'a1','amount':'12.50'}",
           {"charges c3 {'account':'a1','cents':1250} source=till redrive-attempts=1 @11:00:00"},
           {{"source", "till"}, {"__streams.errors.topic", "charges"}}},
          // Nothing to mend: perhaps it is accepted now.
          {"11:00:01",
           "charges-dead",
           "c2",
           "{'account':'a1','cents':-5}",
           {"charges c2 {'account':'a1','cents':-5} redrive-attempts=1 @11:00:01"}},
          {"11:00:02",
           "charges-dead",
           "c2",
           "{'account':'a1','cents':-5}",
           {"charges c2 {'account':'a1','cents':-5} redrive-attempts=3 @11:00:02"},
           {{"redrive-attempts", "2"}}},
          {"11:00:03",
           "charges-dead",
           "c2",
           "{'account':'a1','cents':-5}",
           {"charges-parked c2 {'account':'a1','cents':-5} redrive-attempts=3 @11:00:03"},
           {{"redrive-attempts", "3"}}},
          {"11:00:04",
           "charges-dead",
           "c4",
           "{'account':'a1','amount':'1.999'}",
           {"charges c4 {'account':'a1','amount':'1.999'} redrive-attempts=1 @11:00:04"}},
          {"11:00:05",
           "charges-dead",
           "c5",
           "{'account':'a1','amount':'1e3.00'}",
           {"charges c5 {'account':'a1','amount':'1e3.00'} redrive-attempts=1 @11:00:05"}},
          {"11:00:06", "charges-dead", std::nullopt, std::nullopt, {"charges - - redrive-attempts=1 @11:00:06"}},
      });
}

}  // namespace
}  // namespace examples
