#include "apps/vts/list_answers.h"

#include <condition_variable>
#include <thread>

#include "apps/vts/json_answer.h"
#include "apps/vts/view_fixture.h"
#include "testing/eventually.h"

namespace muir::vts {
namespace {

class Reply final : public net::HttpResponder {
 public:
  void respond(net::HttpResponse response) override {
    const std::lock_guard lock(mutex_);
    response_ = std::move(response);
    changed_.notify_all();
  }
  net::HttpResponse wait() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, testing::kPatience, [this] { return response_.has_value(); }));
    return response_.value_or(net::HttpResponse{});
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<net::HttpResponse> response_;
};

// Lets makers wait until it is opened.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

TEST(ListAnswers, AreMadeOnceForAllWhoWaitAndNeverByWhoAsks) {
  ShownFleet fleet;
  ListAnswers lists(fleet.view());
  Gate gate;
  std::thread::id maker;
  const auto make = [&](const char* body) {
    return [&, body] {
      gate.pass();
      maker = std::this_thread::get_id();
      return json_answer(body);
    };
  };
  const auto first = std::make_shared<Reply>();
  lists.answer("busy", first, make("busy"));  // the thread waits in it
  std::vector<std::shared_ptr<Reply>> replies;
  for (int i = 0; i < 200; ++i) lists.answer("vehicles", replies.emplace_back(std::make_shared<Reply>()), make("all"));
  const auto other = std::make_shared<Reply>();
  lists.answer("alerts?limit=5", other, make("five"));
  gate.open();
  EXPECT_EQ(first->wait().body_view(), "busy");
  const auto shared = replies.front()->wait().shared_body;
  for (const auto& reply : replies) EXPECT_EQ(reply->wait().shared_body.get(), shared.get());
  EXPECT_EQ(*shared, "all");
  EXPECT_EQ(other->wait().body_view(), "five");
  EXPECT_EQ(lists.made(), 3);
  EXPECT_NE(maker, std::this_thread::get_id());
}

TEST(ListAnswers, AreKeptUntilTheViewChanges) {
  ShownFleet fleet;
  ListAnswers lists(fleet.view());
  const auto ask = [&](const std::string& key) {
    const auto reply = std::make_shared<Reply>();
    lists.answer(key, reply, [&] { return json_answer(std::to_string(fleet.view().vehicles().size())); });
    return std::string(reply->wait().body_view());
  };
  EXPECT_EQ(ask("vehicles"), "0");
  EXPECT_EQ(ask("vehicles"), "0");
  EXPECT_EQ(lists.made(), 1);
  fleet.show("V1");
  EXPECT_EQ(ask("vehicles"), "1");
  fleet.remove("V1");
  EXPECT_EQ(ask("vehicles"), "0");
  EXPECT_EQ(lists.made(), 3);
  fleet.zones({"east"});
  EXPECT_EQ(ask("vehicles"), "0");
  EXPECT_EQ(lists.made(), 4);
}

TEST(ListAnswers, EndWithSomebodyWaiting) {
  ShownFleet fleet;
  Gate gate;
  const auto reply = std::make_shared<Reply>();
  std::thread opener;
  {
    ListAnswers lists(fleet.view());
    lists.answer("first", reply, [&] {
      gate.pass();
      return json_answer("done");
    });
    for (int i = 0; i < 50; ++i)
      lists.answer(std::to_string(i), std::make_shared<Reply>(), [] { return json_answer("x"); });
    opener = std::thread([&] { gate.open(); });
  }
  opener.join();
}

}  // namespace
}  // namespace muir::vts
