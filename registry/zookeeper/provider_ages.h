#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "dubbo/url.h"
#include "registry/alive.h"
#include "registry/executor.h"
#include "registry/zookeeper/session.h"

namespace skiff::registry {

// When young providers came into the registry, which decides how much traffic they get while they
// warm up. That time stands in for a provider's own timestamp where the two differ by more than
// kProviderClockTolerance: the provider's clock is wrong then, or it was registered long after its
// start.
//
//   seen to come           the time of the event, on this machine's clock
//   there when we came     the creation time of its node, less the age in its data (node_age.h):
//                          the server is asked for it, some at a time, and the owner hears when
//                          that changes what it has reported, or when another node has replaced
//                          that one meanwhile; without its data where we may not read them
//   own timestamp so old   nothing: it is warm, however wrong its clock may be (up to
//   that it is warm        kProviderClockErrorMax), and costs no memory
//
// A provider that leaves and comes back within kGoneProviderMemory keeps its first time: it is the
// same process, whose session had expired; so does one whose weight comes in steps, each of which
// is a node of its own (weight_steps.h). Lives on the control thread.
class ProviderAges {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // The list at `path` is to be read and reported again.
  using OnLearned = std::function<void(const std::string& path)>;

  // All that is given by reference must outlive it.
  ProviderAges(Session& session, Executor& executor, OnLearned on_learned)
      : session_(session), executor_(executor), on_learned_(std::move(on_learned)) {}

  // One reading of the list at `path`: begin(), date() for each of its nodes, end().
  void begin(const std::string& path);
  // Puts into `url`, which the node `name` stands for, what is known of its coming. `seen_at`:
  // when the registry told of a change that brought it; empty where it may have come at any time.
  void date(const std::string& name, dubbo::Url& url, std::optional<Time> seen_at);
  void end();
  // Nobody watches the list any more.
  void forget(const std::string& path) { lists_.erase(path); }
  void on_session_up(SessionStart start);

 private:
  using Milliseconds = std::int64_t;  // Unix time
  using Key = std::uint64_t;          // the hash of what all nodes of a provider have in common
  struct Node {
    std::optional<Milliseconds> came_at;
    bool is_asked = false;  // the server is being asked for it, or does not say
    Milliseconds needed_until = 0;
    bool is_listed = false;
  };
  struct List {
    std::unordered_map<Key, Node> nodes;  // the young ones
    bool has_news = false;                // that on_learned_ is about to hear of
  };
  struct Question {
    std::string path;  // of the list
    std::string name;
    Key key = 0;
    Milliseconds timestamp = 0;  // the provider's own
  };

  static Key key_of(const dubbo::Url& url);
  static bool is_wrong(Milliseconds timestamp, Milliseconds came_at);
  bool enqueue(Question question);
  void start_asking();
  void take_turn();
  enum class Ask { kNodeAndData, kNode };  // the data may be hidden from us, the node never is
  void ask(Question question, Ask what);
  void on_answer(std::uint64_t number, const OperationResult& result);
  void tell_later(const std::string& path, List& list);
  Node* find(const Question& question);
  void drop(const Question& question);
  static void drop_unneeded(List& list, Milliseconds now);
  void sweep_later();

  Session& session_;
  Executor& executor_;
  const OnLearned on_learned_;
  std::map<std::string, List> lists_;  // by path; those with young nodes
  std::deque<Question> waiting_;
  std::map<std::uint64_t, Question> under_way_;
  std::uint64_t next_number_ = 1;
  bool is_asking_ = false;  // a turn is planned
  bool is_sweep_planned_ = false;
  bool is_overrun_ = false;  // too many were waiting, and that was logged
  std::string reading_;      // the path of begin()
  Milliseconds now_ = 0;     // as of begin()
  Alive alive_;
};

}  // namespace skiff::registry
