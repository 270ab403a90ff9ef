#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace skiff::forwarder {

template <typename Signature>
class FunctionRef;

// A function or lambda that is called, and neither owned nor copied: it must outlive the reference.
// For parameters; costs one indirect call and never allocates.
template <typename R, typename... Args>
class FunctionRef<R(Args...)> {
 public:
  template <typename F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef> &&
           std::is_invocable_r_v<R, F&, Args...>)
      // NOLINTNEXTLINE(bugprone-forwarding-reference-overload): not for references of its own kind
      FunctionRef(F&& f)  // implicit: lambdas are handed in
      : object_(const_cast<void*>(static_cast<const void*>(std::addressof(f)))),
        call_([](void* object, Args... args) -> R {
          return (*static_cast<std::remove_reference_t<F>*>(object))(std::forward<Args>(args)...);
        }) {}

  R operator()(Args... args) const { return call_(object_, std::forward<Args>(args)...); }

 private:
  void* object_;
  R (*call_)(void*, Args...);
};

}  // namespace skiff::forwarder
