// ConnectionMemory: what all connections of a server, or of several, hold together: requests that arrive or are worked
// on, and answers that their peers have not read.
//
// Nobody waits for room: when it runs out, the connection that costs most gives its bytes up (shedding): of those whose
// peers are waited for, the one with the most bytes times the time for which its peer has done nothing, to which the
// time for which it has been waited for adds a little. Peers that send and read are done long before it is their turn,
// so that those that do neither cannot keep them out, however many there are.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/clock.h"

namespace muir::net {

// Thread-safe. Shared by the server, its connections, and texts that are on their way.
class ConnectionMemory : public std::enable_shared_from_this<ConnectionMemory> {
 public:
  class Holder {
   public:
    virtual ~Holder() = default;
    // Ends the connection, soon. Called on any thread, under a lock: it only asks for it.
    virtual void shed() = 0;
    // Steady time at which the peer last read something. Called as shed().
    [[nodiscard]] virtual int64_t last_read_ms() const = 0;
    // Steady time at which the peer last sent something. Called as shed().
    [[nodiscard]] virtual int64_t last_sent_ms() const = 0;
  };

  // Of one connection, on whose loop thread it is used, but for the two calls that say so; goes before it.
  class Account {
   public:
    // So much is nobody's business: it is counted with the connection itself.
    static constexpr size_t kFreeBytes = 1024;

    Account(std::shared_ptr<ConnectionMemory> memory, Holder& holder) : memory_(std::move(memory)), holder_(holder) {}
    ~Account() { close(); }
    Account(const Account&) = delete;
    Account& operator=(const Account&) = delete;

    // Sets what the connection holds of its peer's bytes. False when there is no room for more, even if all were ended
    // that cost more; what it held before stays. From now on it waits for its peer to send the rest, until work(), or,
    // `for_sender` false, does not: it is the server's turn.
    bool hold(size_t bytes, bool for_sender = true);
    // The peer is not waited for.
    void work();
    // The peer has read what there was of add_unread().
    void read_all();
    // The peer has `bytes` to read, of texts that are charged. Any thread.
    void wait_for_reader(size_t bytes);
    // The peer has so many more bytes to read, which count until work(). They exist already: where others cost less,
    // this connection is the one to be shed. Any thread.
    void add_unread(size_t bytes);
    // It was to be shed, but goes on: its peer has done its part in the meantime.
    void keep();
    // The connection is gone.
    void close();

   private:
    friend class ConnectionMemory;
    const std::shared_ptr<ConnectionMemory> memory_;
    Holder& holder_;
    // Guarded by the memory's lock.
    size_t held_ = 0;
    size_t unread_ = 0;             // counted where they are charged
    size_t own_unread_ = 0;         // of add_unread()
    size_t promised_ = 0;           // what will be free when it has been shed
    int64_t waiting_since_ms_ = 0;  // steady
    bool for_sender_ = false;
    bool for_reader_ = false;
    bool waiting_ = false;  // for either, and not being shed
    bool closed_ = false;
  };

  // `clock` outlives the result; it tells the steady time of which Holder speaks.
  static std::shared_ptr<ConnectionMemory> make(size_t bytes_max, const Clock& clock = system_clock());

  // Texts to be written: they count as long as somebody has the result. One text is counted once, however many
  // connections it goes to.
  std::shared_ptr<const std::string> charge(std::string text);
  std::shared_ptr<const std::string> charge(std::shared_ptr<const std::string> text);

  // More is held than there is room for, and connections that were told to give it up have not done so yet: whoever
  // would take more does so a little later.
  [[nodiscard]] bool is_being_freed() const { return being_freed_.load(std::memory_order_relaxed); }
  [[nodiscard]] size_t bytes_max() const { return bytes_max_; }
  [[nodiscard]] size_t used() const;
  [[nodiscard]] size_t peak() const;
  // True once after much was in use and little is: time for return_free_memory() (base/memory.h).
  bool peak_is_over();

 private:
  struct Charged;

  ConnectionMemory(size_t bytes_max, const Clock& clock) : clock_(clock), bytes_max_(bytes_max) {}
  // All under mutex_.
  bool make_room(size_t bytes, Account* for_whom);
  void shed(Account& account);
  void add(size_t bytes);
  void release(Account& account, size_t bytes);
  void wait_for(Account& account, bool sender, bool reader);
  void note() { being_freed_.store(used_ > bytes_max_ && promised_ > 0, std::memory_order_relaxed); }

  const Clock& clock_;
  const size_t bytes_max_;
  mutable std::mutex mutex_;
  size_t used_ = 0;
  size_t promised_ = 0;  // of used_, by connections that are being shed
  std::atomic<bool> being_freed_{false};
  size_t peak_ = 0;
  size_t recent_peak_ = 0;
  std::set<Account*> waiting_;
  std::map<const std::string*, std::weak_ptr<Charged>> shared_;
};

}  // namespace muir::net
