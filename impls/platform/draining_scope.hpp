// The sound closure scope of designs with one thread: a call runs the client's block, then the executor, on
// top of whatever is being polled, until the children ended. A panic of a child ends that child and is
// swallowed.
#pragma once

#include "impls/platform/heap_executor.hpp"

#include <utility>
#include <vector>

namespace scopecheck::platform {

class DrainingScope {
 public:
  explicit DrainingScope(HeapExecutor& executor) : executor_(executor) {}

  void enter(kit::Body body) {
    const Drain drain{*this};
    body();
  }
  void spawn(kit::Child child) {
    children_.push_back(executor_.start(std::move(child)));
    children_.back()->forsake();
  }

 private:
  struct Drain {
    DrainingScope& scope;
    ~Drain() { scope.drain(); }
  };
  /// Children may come meanwhile: from children.
  void drain() {
    for (std::size_t i = 0; i < children_.size(); ++i)
      while (!children_[i]->completion().ended())
        if (executor_.run(1) == 0) kit::host().idle();
  }

  HeapExecutor& executor_;
  std::vector<TaskRef> children_;
};

}  // namespace scopecheck::platform
