// Intrusive doubly linked lists: a node lives wherever its owner put it, a list owns nothing.
// A linked node can leave without knowing its list, so a destructor may unlink at any time, even
// while somebody walks the list by taking its front. A forgotten node stays linked for ever.
#pragma once

namespace scopecheck::platform {

template <class T, class Tag>
class List;

/// Membership of a node in at most one `List<T, Tag>`; derive from it once per list.
template <class Tag>
class Link {
 public:
  Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link() { unlink(); }

  [[nodiscard]] bool linked() const { return next_ != nullptr; }
  void unlink() {
    if (next_ == nullptr) return;
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = nullptr;
  }

 private:
  template <class T, class U>
  friend class List;
  Link* previous_ = nullptr;
  Link* next_ = nullptr;
};

/// A list of nodes `T` through their `Link<Tag>` base. Nodes still linked when the list ends (forgotten
/// ones) keep stale pointers: nobody may touch their links again.
template <class T, class Tag>
class List {
 public:
  List() { ends_.previous_ = ends_.next_ = &ends_; }
  List(const List&) = delete;
  List& operator=(const List&) = delete;
  ~List() { ends_.next_ = nullptr; }  // leaves what is still linked alone

  [[nodiscard]] bool empty() const { return ends_.next_ == &ends_; }
  [[nodiscard]] T& front() { return static_cast<T&>(*ends_.next_); }
  void push_back(T& node) {
    Link<Tag>& link = node;
    link.previous_ = ends_.previous_;
    link.next_ = &ends_;
    ends_.previous_->next_ = &link;
    ends_.previous_ = &link;
  }
  T& pop_front() {
    T& node = front();
    static_cast<Link<Tag>&>(node).unlink();
    return node;
  }

 private:
  Link<Tag> ends_;
};

}  // namespace scopecheck::platform
