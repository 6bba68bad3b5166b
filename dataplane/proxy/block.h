#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gocomet::dataplane {

// Recycles buffers of one size within one thread, so that idle connections hold none.
class BlockPool {
 public:
  explicit BlockPool(size_t block_bytes) : block_bytes_(block_bytes) {}

  size_t block_bytes() const { return block_bytes_; }
  std::unique_ptr<char[]> Take() {
    if (free_.empty()) return std::unique_ptr<char[]>(new char[block_bytes_]);
    std::unique_ptr<char[]> block = std::move(free_.back());
    free_.pop_back();
    return block;
  }
  void Give(std::unique_ptr<char[]> block) {
    if (free_.size() < kKeptMax) free_.push_back(std::move(block));
  }

 private:
  static constexpr size_t kKeptMax = 256;
  const size_t block_bytes_;
  std::vector<std::unique_ptr<char[]>> free_;
};

// Recycles the texts of heads within one thread, for the same reason.
class TextPool {
 public:
  std::string Take() {
    if (free_.empty()) return {};
    std::string text = std::move(free_.back());
    free_.pop_back();
    return text;
  }
  void Give(std::string text) {
    if (free_.size() >= kKeptMax || text.capacity() > kTextBytesMax) return;
    text.clear();
    free_.push_back(std::move(text));
  }

 private:
  static constexpr size_t kKeptMax = 512;
  static constexpr size_t kTextBytesMax = 8192;
  std::vector<std::string> free_;
};

// A text that is held only while there is something in it; taken from the front.
class PooledText {
 public:
  explicit PooledText(TextPool& pool) : pool_(pool) {}
  ~PooledText() { Clear(); }
  PooledText(const PooledText&) = delete;
  PooledText& operator=(const PooledText&) = delete;

  // To append to.
  std::string& text() {
    if (!std::exchange(held_, true)) text_ = pool_.Take();
    return text_;
  }
  std::string_view view() const { return std::string_view(text_).substr(taken_); }
  bool empty() const { return size() == 0; }
  size_t size() const { return text_.size() - taken_; }

  void Consume(size_t bytes) {
    taken_ += bytes;
    if (taken_ == text_.size()) Clear();
  }
  void Clear() {
    if (std::exchange(held_, false)) pool_.Give(std::move(text_));
    text_ = {};
    taken_ = 0;
  }

 private:
  TextPool& pool_;
  std::string text_;
  size_t taken_ = 0;
  bool held_ = false;
};

// Bytes on their way: written at the end, taken from the front, in a block that is held only while
// there are any.
class Buffer {
 public:
  explicit Buffer(BlockPool& pool) : pool_(pool) {}
  ~Buffer() { Clear(); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  std::string_view view() const { return {data_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  size_t size() const { return end_ - begin_; }

  // Where the next bytes go, and how many fit; moves what is there to the front where that helps.
  char* Room(size_t& bytes) {
    if (!data_) data_ = pool_.Take();
    if (begin_ > 0 && end_ == pool_.block_bytes()) {
      std::char_traits<char>::move(data_.get(), data_.get() + begin_, size());
      end_ -= begin_;
      begin_ = 0;
    }
    bytes = pool_.block_bytes() - end_;
    return data_.get() + end_;
  }
  bool full() const { return size() == pool_.block_bytes(); }
  void Added(size_t bytes) { end_ += bytes; }

  void Consume(size_t bytes) {
    begin_ += bytes;
    if (begin_ == end_) Clear();
  }
  void Clear() {
    begin_ = end_ = 0;
    if (data_) pool_.Give(std::move(data_));
  }

 private:
  BlockPool& pool_;
  std::unique_ptr<char[]> data_;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace gocomet::dataplane
