#include "net/event_loop.h"

#include <sys/resource.h>
#include <unistd.h>

#include <condition_variable>
#include <fstream>
#include <future>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace muir::net {
namespace {

TEST(EventLoop, RunsPostedTasksOnItsThreads) {
  EventLoop loop("test", 2);
  std::promise<std::thread::id> done;
  loop.post([&] { done.set_value(std::this_thread::get_id()); });
  EXPECT_NE(done.get_future().get(), std::this_thread::get_id());
}

TEST(EventLoop, RunsTimersInOrderOfTheirDelays) {
  EventLoop loop("test");
  std::mutex mutex;
  std::vector<int> fired;
  std::promise<void> done;
  loop.schedule(30, [&] {
    const std::lock_guard lock(mutex);
    fired.push_back(30);
    done.set_value();
  });
  loop.schedule(1, [&] {
    const std::lock_guard lock(mutex);
    fired.push_back(1);
  });
  done.get_future().wait();
  EXPECT_EQ(fired, (std::vector<int>{1, 30}));
}

TEST(EventLoop, CancelSaysWhetherTheTimerWillNotRun) {
  EventLoop loop("test");
  const auto never = loop.schedule(3'600'000, [] { FAIL() << "a cancelled timer fired"; });
  EXPECT_TRUE(loop.cancel(never));
  EXPECT_FALSE(loop.cancel(never));
  std::promise<void> fired;
  const auto soon = loop.schedule(0, [&] { fired.set_value(); });
  fired.get_future().wait();
  EXPECT_FALSE(loop.cancel(soon));
}

TEST(EventLoop, SurvivesATaskThatThrows) {
  EventLoop loop("test");
  loop.post([] { throw std::runtime_error("a user's mistake"); });
  std::promise<void> done;
  loop.post([&] { done.set_value(); });
  done.get_future().wait();
}

TEST(EventLoop, StopIsIdempotentAndDropsWhatIsPending) {
  EventLoop loop("test");
  loop.schedule(3'600'000, [] {});
  loop.stop();
  loop.stop();
  loop.post([] { FAIL() << "a task ran after stop"; });
}

// The address space has room for some stacks: threads run already when the system gives no more.
TEST(EventLoop, ThreadsThatTheSystemDoesNotGiveAreAFailureAndNotTheEnd) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers end the process when memory is refused";
#endif
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_AS, &before), 0);
  size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  ASSERT_GT(pages, 0U);
  constexpr size_t kRoom = 64U << 20;
  const rlimit tight{pages * static_cast<size_t>(::sysconf(_SC_PAGESIZE)) + kRoom, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &tight), 0);
  EXPECT_THROW(EventLoop("too-many", 200), std::system_error);
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &before), 0);
  EventLoop loop("enough", 2);
  std::promise<void> ran;
  loop.post([&ran] { ran.set_value(); });
  ran.get_future().wait();
}

}  // namespace
}  // namespace muir::net
