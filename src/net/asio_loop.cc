// Everything of the event loop that names Boost.Asio: EventLoop, TcpStream, TcpListener.
//
// Each thread of a loop has an io_context of its own and each stream lives on one of them: a connection's handlers
// are in order without strands, and a thread that wakes finds its work in its own epoll set.
#define BOOST_ASIO_NO_DEPRECATED
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <algorithm>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <condition_variable>
#include <csignal>
#include <mutex>
#include <optional>
#include <set>
#include <system_error>
#include <thread>
#include <unordered_map>

#include "base/clock.h"
#include "base/log.h"
#include "net/event_loop.h"
#include "net/internal/piece_queue.h"
#include "net/internal/read_space.h"
#include "net/internal/tcp_stream.h"
#include "net/internal/turns.h"
#include "net/port_check.h"

namespace muir::net {

namespace asio = boost::asio;
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
using Timer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;
using ErrorCode = boost::system::error_code;

namespace {

constexpr size_t kIovecMax = 64;
constexpr int64_t kLingerMs = 1000;
constexpr size_t kLingerBytesMax = 4 * 1024 * 1024;
constexpr int64_t kAcceptRetryMs = 100;
// Connections, while others that were told to end have not done so.
constexpr size_t kBeyondMax = 64;
// One turn of writing: then the other connections of the thread have theirs, however fast this peer reads.
constexpr size_t kTurnBytesMax = 512 * 1024;

// The place where exceptions of handlers end.
void run_task(const std::function<void()>& task) {
  try {
    task();
  } catch (const std::exception& e) {
    log::error("event loop: a handler threw: {}", e.what());
  }
}

}  // namespace

// ---- EventLoop

struct EventLoop::Impl {
  struct Lane {
    explicit Lane(const LoopClocks& clocks)
        : turns(TurnCost(clocks), [this](std::function<void()> task) {
            asio::post(context, [task = std::move(task)] { run_task(task); });
          }) {}
    asio::io_context context{1};
    asio::executor_work_guard<Executor> work{context.get_executor()};
    Turns turns;
    std::thread thread{};
  };

  std::vector<std::unique_ptr<Lane>> lanes;
  std::atomic<size_t> next_lane{0};
  std::atomic<bool> stopped{false};
  std::mutex timers_mutex;
  std::unordered_map<TimerId, std::unique_ptr<Timer>> timers;
  TimerId next_timer = 1;

  Lane& next() { return *lanes[next_lane.fetch_add(1, std::memory_order_relaxed) % lanes.size()]; }
  asio::io_context& next_context() { return next().context; }
  [[nodiscard]] bool on_loop_thread() const {
    return std::any_of(lanes.begin(), lanes.end(),
                       [](const auto& lane) { return lane->thread.get_id() == std::this_thread::get_id(); });
  }
  void fire(TimerId id, const std::function<void()>& task) {
    std::unique_ptr<Timer> timer;
    {
      const std::lock_guard lock(timers_mutex);
      const auto it = timers.find(id);
      if (it == timers.end()) return;  // cancelled
      timer = std::move(it->second);
      timers.erase(it);
    }
    run_task(task);
  }
};

EventLoop::EventLoop(std::string name, int threads, const LoopClocks& clocks) : impl_(std::make_unique<Impl>()) {
  MUIR_CHECK(threads >= 1, "event loop {}: {} threads", name, threads);
  for (int i = 0; i < threads; ++i) impl_->lanes.push_back(std::make_unique<Impl::Lane>(clocks));
  for (size_t i = 0; i < impl_->lanes.size(); ++i) {
    Impl::Lane& lane = *impl_->lanes[i];
    const auto turn = [&lane] {
      // sendfile() has no flag against it.
      sigset_t pipe;
      ::sigemptyset(&pipe);
      ::sigaddset(&pipe, SIGPIPE);
      ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
      for (;;) {
        try {
          lane.context.run();
          return;
        } catch (const std::exception& e) {
          log::error("event loop: a handler threw: {}", e.what());
        }
      }
    };
    try {
      lane.thread = std::thread(turn);
    } catch (const std::system_error&) {
      stop();  // a thread that runs on without its loop ends the process
      throw;
    }
    pthread_setname_np(lane.thread.native_handle(), fmt::format("{}-{}", name, i).substr(0, 15).c_str());
  }
}

EventLoop::~EventLoop() {
  stop();
  impl_->timers.clear();
}

void EventLoop::post(std::function<void()> task) {
  asio::post(impl_->next_context(), [task = std::move(task)] { run_task(task); });
}

EventLoop::TimerId EventLoop::schedule(int64_t delay_ms, std::function<void()> task) {
  Impl& impl = *impl_;
  const std::lock_guard lock(impl.timers_mutex);
  const TimerId id = impl.next_timer++;
  auto timer = std::make_unique<Timer>(impl.next_context(), std::chrono::milliseconds(std::max<int64_t>(delay_ms, 0)));
  timer->async_wait([&impl, id, task = std::move(task)](const ErrorCode& ec) {
    if (!ec) impl.fire(id, task);
  });
  impl.timers.emplace(id, std::move(timer));
  return id;
}

bool EventLoop::cancel(TimerId id) {
  const std::lock_guard lock(impl_->timers_mutex);
  return impl_->timers.erase(id) == 1;  // its destructor cancels the wait
}

void EventLoop::stop() {
  if (impl_->stopped.exchange(true)) return;
  for (auto& lane : impl_->lanes) lane->context.stop();
  for (auto& lane : impl_->lanes) {
    if (lane->thread.joinable()) lane->thread.join();
  }
}

// ---- TcpStream

namespace {

class AsioStream final : public TcpStream, public Turns::Taker, public std::enable_shared_from_this<AsioStream> {
 public:
  AsioStream(Socket socket, EventLoop::Impl::Lane& lane, std::string peer)
      : context_(lane.context),
        turns_(lane.turns),
        socket_(std::move(socket)),
        fd_(socket_->native_handle()),
        peer_(std::move(peer)) {
    ErrorCode ignored;
    socket_->native_non_blocking(true, ignored);  // sendfile() has no flag for it
    touch();
  }

  void on_gone(std::function<void()> gone) { gone_ = std::move(gone); }

  void set_events(std::shared_ptr<StreamEvents> events) override { events_ = std::move(events); }

  void read() override {
    if (reading_ || lingering_ || !socket_) return;
    reading_ = true;
    const std::span<char> into = events_->read_buffer();
    socket_->async_read_some(asio::buffer(into.data(), into.size()),
                             [self = shared_from_this()](const ErrorCode& ec, size_t n) {
                               self->reading_ = false;
                               self->finish_read(ec, n);
                             });
  }

  void wait_and_read() override {
    if (!reading_ && !lingering_ && socket_) wait_readable();
  }

  void watch() override {
    if (watching_ || reading_ || lingering_ || !socket_) return;
    watching_ = true;
    socket_->async_wait(Socket::wait_read, [self = shared_from_this()](const ErrorCode& ec) {
      self->watching_ = false;
      if (!ec) self->look_for_the_end();
    });
  }

  void take_turn() override { turns_.take(shared_from_this()); }
  void on_turn() override {
    const auto events = events_;
    if (events) events->on_turn();
  }
  [[nodiscard]] int64_t written_bytes() const override { return written_bytes_.load(std::memory_order_relaxed); }

  [[nodiscard]] bool has_input() const override {
    ErrorCode ec;
    return socket_ && socket_->available(ec) > 0;
  }

  void post(std::function<void()> task) override {
    asio::post(context_, [self = shared_from_this(), task = std::move(task)] { run_task(task); });
  }

  void write(std::vector<Piece> pieces) override {
    const std::lock_guard lock(mutex_);
    if (fd_ < 0 || closing_) return;
    for (Piece& piece : pieces) queue_.push(std::move(piece));
    if (!waiting_) flush();
  }

  void close_after_writes() override {
    const std::lock_guard lock(mutex_);
    if (fd_ < 0 || closing_) return;
    closing_ = true;
    if (queue_.empty()) asio::post(context_, [self = shared_from_this()] { self->linger(); });
  }

  void abort() override {
    asio::post(context_, [self = shared_from_this()] { self->close_now(); });
  }

  [[nodiscard]] bool call_when_drained() override {
    const std::lock_guard lock(mutex_);
    if (queue_.empty()) return false;
    tell_drained_ = true;
    return true;
  }

  // On the loop thread, or when the loop has stopped.
  void close_now() {
    if (!socket_) return;
    {
      const std::lock_guard lock(mutex_);
      fd_ = -1;
      closing_ = true;
      queue_.clear();
      ErrorCode ignored;
      socket_->close(ignored);
    }
    linger_timer_.reset();
    socket_.reset();
    const auto events = std::move(events_);
    events_ = nullptr;
    if (events) run_task([&events] { events->on_closed(); });
    if (gone_) gone_();
  }

  [[nodiscard]] size_t queued_bytes() const override { return queue_.bytes(); }
  [[nodiscard]] int64_t last_progress_ms() const override { return progress_ms_.load(std::memory_order_relaxed); }
  [[nodiscard]] int64_t last_written_ms() const override { return written_ms_.load(std::memory_order_relaxed); }
  [[nodiscard]] const std::string& peer() const override { return peer_; }

 private:
  void touch() { progress_ms_.store(system_clock().steady_ms(), std::memory_order_relaxed); }

  void finish_read(const ErrorCode& ec, size_t n) {
    if (!socket_) return;
    if (ec) return close_now();
    touch();
    if (lingering_) return drain(n);
    const auto events = events_;
    run_task([&] { events->on_read(n); });
  }

  void wait_readable() {
    reading_ = true;
    socket_->async_wait(Socket::wait_read, [self = shared_from_this()](const ErrorCode& ec) {
      self->reading_ = false;
      if (!self->socket_) return;
      if (ec) return self->close_now();
      self->read_what_is_there();
    });
  }

  void read_what_is_there() {
    const std::span<char> into = lingering_ ? read_space() : events_->read_buffer();
    if (into.empty()) return;
    const ssize_t n = ::recv(fd_, into.data(), into.size(), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return wait_readable();
    if (n <= 0) return close_now();
    finish_read({}, static_cast<size_t>(n));
  }

  void look_for_the_end() {
    if (!socket_ || reading_ || lingering_) return;
    char next = 0;
    const ssize_t n = ::recv(fd_, &next, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return close_now();
    const auto events = events_;
    if (n == 0 && events) run_task([&events] { events->on_peer_ended(); });
  }

  // Writes as much of the queue as the socket takes, for one turn. Under mutex_.
  void flush() {
    size_t turn_bytes = 0;
    while (!queue_.empty()) {
      if (turn_bytes >= kTurnBytesMax) return end_turn();
      const auto file = queue_.front_file();
      // Elsewhere a peer that has hung up would end the process, by SIGPIPE.
      if (file && !context_.get_executor().running_in_this_thread()) return end_turn();
      const auto sent = file ? send_file(*file, kTurnBytesMax - turn_bytes) : send_parts();
      if (!sent.ok()) {
        log::error("connection with {} ends, as what it is to be sent cannot be read: {}", peer_,
                   sent.status().message());
        return give_up();
      }
      const ssize_t n = *sent;
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return wait_writable();
      if (n < 0) return give_up();
      touch();
      written_ms_.store(last_progress_ms(), std::memory_order_relaxed);
      written_bytes_.store(written_bytes() + n, std::memory_order_relaxed);
      turn_bytes += static_cast<size_t>(n);
      queue_.pop(static_cast<size_t>(n));
    }
    if (std::exchange(tell_drained_, false)) asio::post(context_, [self = shared_from_this()] { self->drained(); });
    if (closing_) asio::post(context_, [self = shared_from_this()] { self->linger(); });
  }

  // As sendmsg(): -1 with errno when the socket takes nothing.
  Result<ssize_t> send_parts() {
    std::array<BytesView, kIovecMax> parts;
    const size_t count = MUIR_TRY(queue_.front(parts, SIZE_MAX));
    std::array<iovec, kIovecMax> vectors;
    size_t bytes = 0;
    for (size_t i = 0; i < count; ++i) {
      vectors[i] = {const_cast<char*>(parts[i].data()), parts[i].size()};
      bytes += parts[i].size();
    }
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = count;
    const int more = bytes < queue_.bytes() ? MSG_MORE : 0;  // what follows comes at once
    return ::sendmsg(fd_, &message, MSG_NOSIGNAL | MSG_DONTWAIT | more);
  }

  // From the page cache to the socket, without a copy in between.
  Result<ssize_t> send_file(const PieceQueue::FilePart& part, size_t bytes_max) {
    auto at = static_cast<off_t>(part.begin);
    const ssize_t n = ::sendfile(fd_, part.descriptor, &at, std::min(part.bytes, bytes_max));
    if (n == 0) return error(Code::data_loss, "the file ends before byte {}, and {} more are wanted", at, part.bytes);
    if (n < 0 && (errno == EINVAL || errno == ENOSYS)) {  // a file system that cannot
      queue_.read_files();
      return send_parts();
    }
    return n;
  }

  void give_up() {
    waiting_ = true;  // no further attempt
    asio::post(context_, [self = shared_from_this()] { self->close_now(); });
  }

  // The rest is written when the other connections have had their turn.
  void end_turn() {
    waiting_ = true;
    asio::post(context_, [self = shared_from_this()] { self->go_on(); });
  }

  void go_on() {
    const std::lock_guard lock(mutex_);
    if (fd_ < 0) return;
    waiting_ = false;
    flush();
  }

  void drained() {
    const auto events = events_;
    if (events) run_task([&events] { events->on_drained(); });
  }

  void wait_writable() {
    waiting_ = true;
    asio::post(context_, [self = shared_from_this()] {
      if (!self->socket_) return;
      self->socket_->async_wait(Socket::wait_write, [self](const ErrorCode& ec) {
        if (!ec) self->go_on();
      });
    });
  }

  // Closing a socket with unread input resets the connection, and the peer may lose our last bytes: so the end is
  // announced first and input is read away until the peer closes.
  void linger() {
    if (!socket_ || lingering_) return;
    lingering_ = true;
    ErrorCode ec;
    socket_->shutdown(Socket::shutdown_send, ec);
    if (ec) return close_now();
    linger_timer_.emplace(context_, std::chrono::milliseconds(kLingerMs));
    linger_timer_->async_wait([self = shared_from_this()](const ErrorCode& timer_ec) {
      if (!timer_ec) self->close_now();
    });
    if (!reading_) drain(0);
  }

  void drain(size_t n) {
    drained_ += n;
    if (drained_ > kLingerBytesMax) return close_now();
    wait_readable();
  }

  asio::io_context& context_;
  Turns& turns_;
  // Owned by the loop thread; gone after close_now(), for the stream may outlive the loop.
  std::optional<Socket> socket_;
  std::optional<Timer> linger_timer_;
  std::shared_ptr<StreamEvents> events_;
  std::function<void()> gone_;
  bool reading_ = false;
  bool watching_ = false;
  bool lingering_ = false;
  size_t drained_ = 0;

  std::mutex mutex_;  // guards the writing half
  int fd_;
  PieceQueue queue_;
  bool waiting_ = false;  // for the socket to become writable, or for the next turn
  bool tell_drained_ = false;
  bool closing_ = false;

  std::atomic<int64_t> progress_ms_{0};
  std::atomic<int64_t> written_bytes_{0};  // written under mutex_
  std::atomic<int64_t> written_ms_{system_clock().steady_ms()};
  const std::string peer_;
};

// ---- TcpListener

class AsioListener final : public TcpListener {
 public:
  AsioListener(EventLoop::Impl& loop, TcpListenerOptions options, Accept accept)
      : loop_(loop), options_(std::move(options)), accept_(std::move(accept)) {
    metrics_.gauge_of("muir_net_connections", "Open connections.", {}, [this] {
      const std::lock_guard lock(mutex_);
      return static_cast<double>(streams_.size());
    });
    metrics_.gauge_of("muir_net_connections_max", "Most connections at a time.", {},
                      [this] { return static_cast<double>(options_.connections_max); });
  }
  ~AsioListener() override { stop(); }

  Status listen() {
    ErrorCode ec;
    asio::io_context& context = loop_.lanes[0]->context;
    asio::basic_stream_socket<asio::ip::tcp, Executor>::endpoint_type endpoint;
    asio::ip::basic_resolver<asio::ip::tcp, Executor> resolver(context);
    const auto found =
        resolver.resolve(options_.host, std::to_string(options_.port),
                         asio::ip::resolver_base::passive | asio::ip::resolver_base::numeric_service, ec);
    if (ec || found.empty())
      return error(Code::invalid_argument, "listen on {}:{}: {}", options_.host, options_.port, ec.message());
    // Of a name's addresses the first of IPv4, if there is one, as Java does: "localhost" is 127.0.0.1 for everybody.
    const auto v4 =
        std::find_if(found.begin(), found.end(), [](const auto& one) { return one.endpoint().address().is_v4(); });
    endpoint = (v4 == found.end() ? found.begin() : v4)->endpoint();
    acceptor_.emplace(context);
    acceptor_->open(endpoint.protocol(), ec);
    if (!ec) acceptor_->set_option(asio::socket_base::reuse_address(true), ec);
    if (!ec) acceptor_->bind(endpoint, ec);
    if (!ec) acceptor_->listen(asio::socket_base::max_listen_connections, ec);
    if (ec == asio::error::address_in_use) {
      return port_in_use(options_.host, options_.port);
    }
    if (ec) return error(Code::io_error, "listen on {}:{}: {}", options_.host, options_.port, ec.message());
    port_ = acceptor_->local_endpoint(ec).port();
    asio::post(context, [this] { accept_next(); });
    return {};
  }

  [[nodiscard]] uint16_t port() const override { return port_; }

  void stop() override {
    if (stopping_.exchange(true)) return;
    MUIR_CHECK(loop_.stopped || !loop_.on_loop_thread(), "port {}: a server cannot be stopped by its own loop's thread",
               port_);
    if (loop_.stopped) {
      acceptor_.reset();
      accepting_ = false;
    } else {
      asio::post(loop_.lanes[0]->context, [this] { close_acceptor(); });
    }
    std::vector<std::shared_ptr<AsioStream>> streams;
    {
      const std::lock_guard lock(mutex_);
      streams.assign(streams_.begin(), streams_.end());
    }
    for (const auto& stream : streams) {
      if (loop_.stopped) {
        stream->close_now();
      } else {
        stream->abort();
      }
    }
    if (loop_.stopped) return;
    std::unique_lock lock(mutex_);
    gone_.wait(lock, [this] { return streams_.empty() && !accepting_; });
  }

 private:
  void close_acceptor() {
    acceptor_.reset();  // on the acceptor's own thread; its pending accept ends with an error
    const std::lock_guard lock(mutex_);
    if (!accept_outstanding_) {
      accepting_ = false;
      gone_.notify_all();
    }
  }

  void accept_next() {
    if (stopping_ || !acceptor_) return end_accepting();
    EventLoop::Impl::Lane& lane = loop_.next();
    accept_outstanding_ = true;
    acceptor_->async_accept(lane.context, [this, &lane](const ErrorCode& ec, Socket socket) {
      accept_outstanding_ = false;
      if (stopping_ || ec == asio::error::operation_aborted) return end_accepting();
      if (ec) return retry_accept(ec);
      accepted(std::move(socket), lane);
      accept_next();
    });
  }

  // Out of file descriptors, mostly: they may come back.
  void retry_accept(const ErrorCode& ec) {
    log::warn("accept on port {}: {}", port_, ec.message());
    accept_outstanding_ = true;
    retry_.emplace(loop_.lanes[0]->context, std::chrono::milliseconds(kAcceptRetryMs));
    retry_->async_wait([this](const ErrorCode&) {
      accept_outstanding_ = false;
      accept_next();
    });
  }

  void end_accepting() {
    retry_.reset();
    const std::lock_guard lock(mutex_);
    accepting_ = false;
    gone_.notify_all();
  }

  void accepted(Socket socket, EventLoop::Impl::Lane& lane) {
    ErrorCode ec;
    const auto remote = socket.remote_endpoint(ec);
    if (ec) return;  // the peer has gone already
    socket.set_option(asio::ip::tcp::no_delay(true), ec);
    socket.non_blocking(true, ec);
    std::string peer = fmt::format("{}:{}", remote.address().to_string(), remote.port());
    std::unique_lock lock(mutex_);
    if (stopping_) return;  // stop() has taken its list of streams already
    bool full = streams_.size() >= options_.connections_max;
    if (full && options_.make_room && streams_.size() < options_.connections_max + kBeyondMax) {
      lock.unlock();
      full = !options_.make_room();
      lock.lock();
      if (stopping_) return;
    }
    if (full) {
      log::warn("port {}: connection from {} refused, {} are open", port_, peer, streams_.size());
      refused_.add();
      const Bytes& refusal = options_.refusal;
      [[maybe_unused]] const auto sent = ::send(socket.native_handle(), refusal.data(), refusal.size(), MSG_NOSIGNAL);
      return;
    }
    auto stream = std::make_shared<AsioStream>(std::move(socket), lane, std::move(peer));
    stream->on_gone([this, weak = std::weak_ptr(stream)] { remove(weak.lock()); });
    streams_.insert(stream);
    lock.unlock();
    accepted_.add();
    stream->post([this, stream] {
      if (!stopping_) accept_(stream);
    });
  }

  void remove(const std::shared_ptr<AsioStream>& stream) {
    const std::lock_guard lock(mutex_);
    streams_.erase(stream);
    gone_.notify_all();
  }

  EventLoop::Impl& loop_;
  const TcpListenerOptions options_;
  const Accept accept_;
  std::optional<Acceptor> acceptor_;  // owned by the thread of lane 0
  std::optional<Timer> retry_;
  bool accept_outstanding_ = false;  // of lane 0
  uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};

  std::mutex mutex_;
  std::condition_variable gone_;
  bool accepting_ = true;
  std::set<std::shared_ptr<AsioStream>> streams_;

  MetricsGroup metrics_{options_.metrics, {{"server", options_.metrics_name}}};
  Counter& accepted_ = metrics_.counter("muir_net_connections_accepted_total", "Connections accepted.");
  Counter& refused_ =
      metrics_.counter("muir_net_connections_refused_total", "Connections closed at once because too many were open.");
};

}  // namespace

Result<std::unique_ptr<TcpListener>> TcpListener::start(EventLoop& loop, TcpListenerOptions options, Accept accept) {
  auto listener = std::make_unique<AsioListener>(loop.impl(), std::move(options), std::move(accept));
  MUIR_RETURN_IF_ERROR(listener->listen());
  return std::unique_ptr<TcpListener>(std::move(listener));
}

}  // namespace muir::net
