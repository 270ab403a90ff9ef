#pragma once

#include <memory>
#include <utility>

namespace skiff::registry {

// Makes tasks that outlive their object harmless: a member `Alive alive_` hands out guarded
// functions, which do nothing once the object is gone. The object and the guarded functions must
// live on one thread, or the executor must be stopped before the object goes.
class Alive {
 public:
  template <typename Function>
  auto guard(Function function) const {
    return [token = std::weak_ptr<char>(token_),
            function = std::move(function)](auto&&... arguments) mutable {
      if (!token.expired()) function(std::forward<decltype(arguments)>(arguments)...);
    };
  }

 private:
  std::shared_ptr<char> token_ = std::make_shared<char>();
};

}  // namespace skiff::registry
