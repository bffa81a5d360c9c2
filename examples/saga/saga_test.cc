#include "saga/saga.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "timeline.h"

namespace examples {
namespace {

const std::string kTea = "{'item':'tea','quantity':2,'customer':'ann','cents':1990}";
const std::string kYes = "{'ok':true}";

std::string no(const std::string& why) { return "{'ok':false,'why':'" + why + "'}"; }

// A line of what the coordinator writes.
std::string command(const std::string& topic, const std::string& id, const std::string& action,
                    const std::string& time) {
  return topic + "-commands " + id + " {'action':'" + action + "','order':" + kTea + ",'why':null} @" + time;
}
std::string completed(const std::string& id, const std::string& time) {
  return "order-results " + id + " {'action':'completed','order':null,'why':null} @" + time;
}
std::string failed(const std::string& id, const std::string& why, const std::string& time) {
  return "order-results " + id + " {'action':'failed','order':null,'why':'" + why + "'} @" + time;
}

TEST(Saga, StepsFollowEachOtherAndAreUndoneWhenOneFails) {
  Timeline(saga::topology(), {.dead_letters = "dead"})
      .run({
          {"10:00:00", kWallClock},
          {"10:00:00", "order-requests", "o1", kTea, {command("inventory", "o1", "reserve", "10:00:00")}},
          {"10:00:01", "inventory-replies", "o1", kYes, {command("payment", "o1", "charge", "10:00:01")}},
          {"10:00:02", "payment-replies", "o1", kYes, {completed("o1", "10:00:02")}},
          // Nothing reserved: nothing to undo.
          {"10:00:03", "order-requests", "o2", kTea, {command("inventory", "o2", "reserve", "10:00:03")}},
          {"10:00:04", "inventory-replies", "o2", no("no tea"), {failed("o2", "no tea", "10:00:04")}},
          // Reserved, but not paid.
          {"10:00:05", "order-requests", "o3", kTea, {command("inventory", "o3", "reserve", "10:00:05")}},
          {"10:00:06", "inventory-replies", "o3", kYes, {command("payment", "o3", "charge", "10:00:06")}},
          {"10:00:07",
           "payment-replies",
           "o3",
           no("no money"),
           {command("inventory", "o3", "release", "10:00:07"), failed("o3", "no money", "10:00:07")}},
          // What comes twice, to the wrong step, or about nothing.
          {"10:00:08", "order-requests", "o1", kTea},
          {"10:00:08", "payment-replies", "o1", no("twice")},
          {"10:00:08", "inventory-replies", "o3", kYes},
          {"10:00:08", "payment-replies", "o9", kYes},
          {"10:00:08", "order-requests", "o8", std::nullopt},
          {"10:00:08",
           "order-requests",
           "o8",
           "{'item':'tea','quantity':0,'customer':'ann','cents':1990}",
           {"dead o8 {'item':'tea','quantity':0,'customer':'ann','cents':1990} @10:00:08"}},
          {"10:00:08", "payment-replies", "o8", "yes", {"dead o8 yes @10:00:08"}},
      });
}

TEST(Saga, ServicesThatDoNotAnswerAreToldToUndo) {
  Timeline timeline(saga::topology());
  timeline.run({
      {"10:00:00", kWallClock},
      {"10:00:00", "order-requests", "o1", kTea, {command("inventory", "o1", "reserve", "10:00:00")}},
      {"10:00:00", "order-requests", "o2", kTea, {command("inventory", "o2", "reserve", "10:00:00")}},
      {"10:00:20", kWallClock},
      {"10:00:20", "inventory-replies", "o2", kYes, {command("payment", "o2", "charge", "10:00:20")}},
      {"10:00:29", kWallClock},
  });
  ASSERT_TRUE(timeline.driver().restart().ok());  // who waits, waits on after a move to another machine
  timeline.run({
      {"10:00:30",
       kWallClock,
       {},
       {},
       {command("inventory", "o1", "release", "10:00:30"), failed("o1", "inventory does not answer", "10:00:30")}},
      // An answer after all: it was undone, whatever it says.
      {"10:00:31", "inventory-replies", "o1", kYes},
      // The payment has had 30 seconds of its own.
      {"10:00:49", kWallClock},
      {"10:00:50",
       kWallClock,
       {},
       {},
       {command("inventory", "o2", "release", "10:00:50"), failed("o2", "payment does not answer", "10:00:50"),
        command("payment", "o2", "refund", "10:00:50")}},
      {"10:00:51", "payment-replies", "o2", kYes},
      // After a day nobody knows of them.
      {"34:00:49", kWallClock},
      {"34:00:49", "order-requests", "o2", kTea},
      {"34:00:50", kWallClock},
      {"34:00:50", "order-requests", "o2", kTea, {command("inventory", "o2", "reserve", "34:00:50")}},
  });
}

}  // namespace
}  // namespace examples
