// The stack that a run is played on, as sanitizers know it. A run that stands on a stack of the
// implementation's (stacks.cpp) is left from there by a longjmp, which no sanitizer takes for a switch of
// stacks. Without a sanitizer all of this is nothing.
#pragma once

#include <cstddef>

namespace scopecheck::interpreter {

class HomeStack {
 public:
  /// Notes the thread's own stack. Requires: it is the one in use; another is about to be.
  void remember();
  /// Right before a longjmp home from another stack.
  void leave_for();
  /// Right after it.
  void arrive();

 private:
  [[maybe_unused]] const void* bottom_ = nullptr;
  [[maybe_unused]] std::size_t size_ = 0;
  [[maybe_unused]] void* fake_ = nullptr;   // ASan's stack of frames that are watched after their end
  [[maybe_unused]] void* fiber_ = nullptr;  // what TSan knows the stack as
};

}  // namespace scopecheck::interpreter
