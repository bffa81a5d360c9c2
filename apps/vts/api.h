// Api: the REST interface under /api/v1, answered from the view.
#pragma once

#include <functional>

#include "apps/vts/gateway.h"
#include "apps/vts/list_answers.h"
#include "apps/vts/master_writer.h"
#include "apps/vts/stats.h"
#include "apps/vts/topic_follower.h"
#include "apps/vts/view.h"
#include "net/http_server.h"

namespace muir::vts {

// Thread-safe; everything it refers to outlives the server.
class Api {
 public:
  Api(Gateway& gateway, MasterWriter& master, TopicFollower& zones, View& view, StatsBoard& board)
      : gateway_(gateway), master_(master), zones_follower_(zones), view_(view), board_(board), lists_(view) {}
  // Adds the routes.
  void add_to(net::HttpServer& server);

 private:
  using Request = net::HttpRequest;
  using Responder = std::shared_ptr<net::HttpResponder>;

  using Answer = std::function<net::HttpResponse(const Request&)>;

  // `parameters`: what the query may name.
  static void add(net::HttpServer& server, std::string method, std::string path,
                  std::initializer_list<std::string_view> parameters, net::HttpHandler handler);
  // A GET of something short, answered at once.
  static void add_answer(net::HttpServer& server, std::string path, std::initializer_list<std::string_view> parameters,
                         Answer answer);
  // A GET of something that may be long.
  void add_list(net::HttpServer& server, std::string path, std::initializer_list<std::string_view> parameters,
                Answer answer);
  void add_vehicles(net::HttpServer& server);
  void add_zones(net::HttpServer& server);
  void add_events(net::HttpServer& server);
  [[nodiscard]] net::HttpResponse vehicle(const Request& request) const;
  [[nodiscard]] net::HttpResponse location(const Request& request) const;
  [[nodiscard]] net::HttpResponse speed(const Request& request) const;
  [[nodiscard]] net::HttpResponse trail(const Request& request) const;
  [[nodiscard]] net::HttpResponse zones() const;
  [[nodiscard]] net::HttpResponse zone_vehicles(const Request& request) const;
  [[nodiscard]] net::HttpResponse alerts(const Request& request) const;
  [[nodiscard]] net::HttpResponse dead_letters(const Request& request) const;
  void put_vehicle(const Request& request, const Responder& responder);
  // Answered when the view does not show it any more.
  void delete_vehicle(const Request& request, const Responder& responder);
  void put_zone(const Request& request, const Responder& responder);
  // Answers when the view shows the zone as it was written.
  MasterWriter::OnDone answer_when_shown(const Responder& responder, const std::string& id);

  Gateway& gateway_;
  MasterWriter& master_;
  TopicFollower& zones_follower_;
  View& view_;
  StatsBoard& board_;
  ListAnswers lists_;
};

}  // namespace muir::vts
