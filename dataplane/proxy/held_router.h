#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "dataplane/route/router.h"

namespace gocomet::dataplane {

// A router as one thread holds it: for as long as an exchange goes by it, though others may have
// come since. Copies are counted without an atomic operation, since each request makes one. Belongs
// to one thread with all its copies.
class HeldRouter {
 public:
  HeldRouter() = default;
  explicit HeldRouter(std::shared_ptr<const Router> router)
      : shared_(new Shared{std::move(router)}) {}
  HeldRouter(const HeldRouter& other) : shared_(other.shared_) {
    if (shared_ != nullptr) ++shared_->holders;
  }
  HeldRouter(HeldRouter&& other) noexcept : shared_(std::exchange(other.shared_, nullptr)) {}
  HeldRouter& operator=(HeldRouter other) noexcept {
    std::swap(shared_, other.shared_);
    return *this;
  }
  ~HeldRouter() {
    if (shared_ != nullptr && --shared_->holders == 0) delete shared_;
  }

  // Null where it holds none.
  const Router* get() const { return shared_ != nullptr ? shared_->router.get() : nullptr; }
  const Router& operator*() const { return *shared_->router; }
  const Router* operator->() const { return shared_->router.get(); }

 private:
  struct Shared {
    const std::shared_ptr<const Router> router;
    size_t holders = 1;
  };
  Shared* shared_ = nullptr;
};

}  // namespace gocomet::dataplane
