#include "orders/orders.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "timeline.h"

namespace examples {
namespace {

TEST(Orders, AreCheckedEnrichedAndSortedByTier) {
  Timeline(orders::topology(), {.dead_letters = "dead"})
      .run({
          {"10:00:00", "users", "ann", "{'country':'PL','tier':'premium'}"},
          // 1995 cents: a tenth is 199.5, and halves are rounded up.
          {"10:00:01",
           "orders",
           "o1",
           "{'user':'ann','product':'tea','quantity':3,'unit_cents':665}",
           {"orders-enriched ann {'product':'tea','quantity':3,'country':'PL','tier':'premium','total_cents':1995,"
            "'discount_cents':200,'to_pay_cents':1795} @10:00:01",
            "orders-per-hour tea {'hour_ms':36000000,'orders':1} @10:00:01",
            "orders-premium ann {'product':'tea','quantity':3,'country':'PL','tier':'premium','total_cents':1995,"
            "'discount_cents':200,'to_pay_cents':1795} @10:00:01"}},
          // A user whom nobody knows.
          {"10:00:02",
           "orders",
           "o2",
           "{'user':'bob','product':'tea','quantity':1,'unit_cents':665}",
           {"orders-enriched bob {'product':'tea','quantity':1,'country':'unknown','tier':'standard','total_cents':665,"
            "'discount_cents':0,'to_pay_cents':665} @10:00:02",
            "orders-per-hour tea {'hour_ms':36000000,'orders':2} @10:00:02",
            "orders-standard bob {'product':'tea','quantity':1,'country':'unknown','tier':'standard','total_cents':665,"
            "'discount_cents':0,'to_pay_cents':665} @10:00:02"}},
          // What cannot be an order.
          {"10:00:03",
           "orders",
           "o3",
           "{'user':'ann','product':'tea','quantity':0,'unit_cents':665}",
           {"orders-refused o3 {'reason':'quantity not within 1 and 1000',"
            "'order':{'user':'ann','product':'tea','quantity':0,'unit_cents':665}} @10:00:03"}},
          {"10:00:04",
           "orders",
           "o4",
           "{'user':'','product':'tea','quantity':1,'unit_cents':665}",
           {"orders-refused o4 {'reason':'no user',"
            "'order':{'user':'','product':'tea','quantity':1,'unit_cents':665}} @10:00:04"}},
          {"10:00:05",
           "orders",
           "o5",
           "{'user':'ann','product':'tea','quantity':1,'unit_cents':-1}",
           {"orders-refused o5 {'reason':'price not within 1 and 10000000 cents',"
            "'order':{'user':'ann','product':'tea','quantity':1,'unit_cents':-1}} @10:00:05"}},
          {"10:00:06",
           "orders",
           "o6",
           std::nullopt,
           {"orders-refused o6 {'reason':'no value','order':null} @10:00:06"}},
          // What is no JSON, or lacks a member.
          {"10:00:07", "orders", "o7", "3 teas for ann", {"dead o7 3 teas for ann @10:00:07"}},
          {"10:00:08", "orders", "o8", "{'user':'ann'}", {"dead o8 {'user':'ann'} @10:00:08"}},
          {"10:00:09",
           "users",
           "ann",
           "{'country':'PL','tier':'gold'}",
           {"dead ann {'country':'PL','tier':'gold'} @10:00:09"}},
          // Ann's account is closed: from now on she is nobody.
          {"10:00:10", "users", "ann", std::nullopt},
          {"10:00:11",
           "orders",
           "o9",
           "{'user':'ann','product':'jam','quantity':1,'unit_cents':300}",
           {"orders-enriched ann {'product':'jam','quantity':1,'country':'unknown','tier':'standard','total_cents':300,"
            "'discount_cents':0,'to_pay_cents':300} @10:00:11",
            "orders-per-hour jam {'hour_ms':36000000,'orders':1} @10:00:11",
            "orders-standard ann {'product':'jam','quantity':1,'country':'unknown','tier':'standard','total_cents':300,"
            "'discount_cents':0,'to_pay_cents':300} @10:00:11"}},
      });
}

// What 'user' orders for that many cents.
std::string order(const std::string& user, int cents) {
  return "{'user':'" + user + "','product':'tea','quantity':1,'unit_cents':" + std::to_string(cents) + "}";
}

TEST(Orders, AreCountedByTheHourTenMinutesLateAtMost) {
  Timeline(orders::topology(), {.topics = {"orders-per-hour"}})
      .run({
          {"10:59:59",
           "orders",
           "o1",
           order("ann", 100),
           {"orders-per-hour tea {'hour_ms':36000000,'orders':1} @10:59:59"}},
          {"11:00:00",
           "orders",
           "o2",
           order("bob", 100),
           {"orders-per-hour tea {'hour_ms':39600000,'orders':1} @11:00:00"}},
          {"11:09:59",
           "orders",
           "o3",
           order("bob", 100),
           {"orders-per-hour tea {'hour_ms':39600000,'orders':2} @11:09:59"}},
          {"10:30:00",
           "orders",
           "o4",
           order("ann", 100),
           {"orders-per-hour tea {'hour_ms':36000000,'orders':2} @10:59:59"}},
          {"11:10:00",
           "orders",
           "o5",
           order("bob", 100),
           {"orders-per-hour tea {'hour_ms':39600000,'orders':3} @11:10:00"}},
          {"10:30:00", "orders", "o6", order("ann", 100)},  // its hour is over
      });
}

TEST(Orders, RevenueOfFiveMinutesIsToldEveryMinute) {
  Timeline(orders::topology(), {.topics = {"revenue"}})
      .run({
          {"10:00:00", "users", "ann", "{'country':'PL','tier':'standard'}"},
          {"10:00:00", "users", "pia", "{'country':'PL','tier':'premium'}"},
          {"10:02:10", "orders", "o1", order("ann", 1000)},
          {"10:03:00", "orders", "o2", order("pia", 1000)},  // 900 with her discount
          // The window from 9:58 to 10:03 has the first only, and is closed at 10:04.
          {"10:04:00",
           "orders",
           "o3",
           order("ann", 50),
           {"revenue PL {'from_ms':35880000,'to_ms':36180000,'cents':1000} @10:02:10"}},
          // Late: it comes into those from 9:59 on, that with 9:58 being closed.
          {"10:02:30", "orders", "o4", order("ann", 7)},
          {"10:06:00",
           "orders",
           "o5",
           order("ann", 1),
           {"revenue PL {'from_ms':35940000,'to_ms':36240000,'cents':1907} @10:03:00",
            "revenue PL {'from_ms':36000000,'to_ms':36300000,'cents':1957} @10:04:00"}},
      });
}

TEST(Orders, SessionsEndWithHalfAnHourWithoutOrders) {
  Timeline(orders::topology(), {.topics = {"order-sessions"}})
      .run({
          {"10:00:00", "orders", "o1", order("ann", 100)},
          {"10:30:00", "orders", "o2", order("ann", 20)},  // half an hour later is not too late
          {"10:40:00", "orders", "o3", order("bob", 7)},
          // A late one between two of Ann's: from 10:31 on she would have been away.
          {"11:00:01", "orders", "o4", order("ann", 3)},
          {"10:45:00", "orders", "o5", order("ann", 1000)},
          // 10:40 and 35 minutes are over: Bob's session is closed; Ann's goes on until 11:35:01.
          {"11:15:01",
           "orders",
           "o6",
           order("eve", 1),
           {"order-sessions bob {'from_ms':38400000,'to_ms':38400000,'orders':1,'cents':7} @10:40:00"}},
          {"11:35:02",
           "orders",
           "o7",
           order("eve", 1),
           {"order-sessions ann {'from_ms':36000000,'to_ms':39601000,'orders':4,'cents':1123} @11:00:01"}},
      });
}

}  // namespace
}  // namespace examples
