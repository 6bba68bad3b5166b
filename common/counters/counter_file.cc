#include "common/counters/counter_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "common/base/random.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"

namespace gocomet {
namespace {

// A file is made of chunks, which are mapped one by one and never move; a record lies within one.
constexpr size_t kChunkBytes = 256 * 1024;
constexpr size_t kChunksMax = 1024;
constexpr uint64_t kMagic = 0x01'74'65'6d'6f'43'6f'47;  // `GoComet` and the format's version.

struct FileHeader {
  std::atomic<uint64_t> magic;  // Written last; 0 where it was not begun.
  uint64_t incarnation;
  char reserved[48];
};
static_assert(sizeof(FileHeader) == 64);

absl::Status NotOurs(std::string_view why) {
  return absl::DataLossError(Cat("it is no file of counters: ", why));
}

absl::StatusOr<UniqueFd> OpenAlone(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) return absl::ErrnoToStatus(errno, Cat("cannot open ", path));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return absl::UnavailableError(Cat("another process counts in ", path));
    }
    return absl::ErrnoToStatus(errno, Cat("cannot lock ", path));
  }
  return fd;
}

}  // namespace

// Before the values, which begin at the next multiple of kAlignment behind the name.
struct CounterFile::RecordHeader {
  uint32_t size;  // Of all of it; a multiple of kAlignment. 0: no record was here yet.
  uint32_t kind;
  uint32_t values_size;
  uint16_t name_size;
  std::atomic<uint16_t> used;

  static constexpr size_t kNameMax = 1024;

  static size_t OffsetOfValues(size_t name_size) {
    return (sizeof(RecordHeader) + name_size + kAlignment - 1) / kAlignment * kAlignment;
  }
  static size_t SizeFor(size_t name_size, size_t values_size) {
    return OffsetOfValues(name_size) + (values_size + kAlignment - 1) / kAlignment * kAlignment;
  }
  char* name() { return reinterpret_cast<char*>(this + 1); }
  std::byte* values() { return reinterpret_cast<std::byte*>(this) + OffsetOfValues(name_size); }
  bool fits() const {
    return name_size <= kNameMax && values_size <= kChunkBytes &&
           SizeFor(name_size, values_size) <= size;
  }
};

absl::StatusOr<CounterFile::Opened> CounterFile::Open(const std::string& path) {
  Opened opened;
  for (;;) {
    GOCOMET_ASSIGN_OR_RETURN(UniqueFd fd, OpenAlone(path));
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) {
      return absl::ErrnoToStatus(errno, Cat("cannot look at ", path));
    }
    opened.file = std::shared_ptr<CounterFile>(new CounterFile(std::move(fd), Access::kCount));
    const bool is_new = status.st_size == 0;
    const absl::Status done =
        is_new ? opened.file->Begin() : opened.file->Continue(static_cast<size_t>(status.st_size));
    if (done.ok()) return opened;
    if (is_new || done.code() != absl::StatusCode::kDataLoss) return WithContext(done, path);
    const std::string aside = path + ".damaged";
    if (::rename(path.c_str(), aside.c_str()) != 0) {
      return absl::ErrnoToStatus(errno, Cat("cannot set ", path, " aside as ", aside));
    }
    opened.notice = Cat(path, " is set aside as ", aside, ": ", MessageOf(done));
  }
}

absl::StatusOr<std::shared_ptr<const CounterFile>> CounterFile::OpenForReading(
    const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat status {};
  if (!fd.valid() || ::fstat(fd.get(), &status) != 0) {
    return absl::ErrnoToStatus(errno, Cat("cannot open ", path));
  }
  const std::shared_ptr<CounterFile> file(new CounterFile(std::move(fd), Access::kRead));
  const absl::Status done = file->Continue(static_cast<size_t>(status.st_size));
  if (!done.ok()) return WithContext(done, path);
  return file;
}

CounterFile::~CounterFile() {
  for (std::byte* chunk : chunks_) ::munmap(chunk, kChunkBytes);
}

uint64_t CounterFile::incarnation() const {
  return reinterpret_cast<const FileHeader*>(chunks_.front())->incarnation;
}

absl::Status CounterFile::MapChunk(size_t offset) {
  const int protection = access_ == Access::kRead ? PROT_READ : PROT_READ | PROT_WRITE;
  void* chunk =
      ::mmap(nullptr, kChunkBytes, protection, MAP_SHARED, fd_.get(), static_cast<off_t>(offset));
  if (chunk == MAP_FAILED) return absl::ErrnoToStatus(errno, "cannot map it into memory");
  chunks_.push_back(static_cast<std::byte*>(chunk));
  return absl::OkStatus();
}

absl::Status CounterFile::Grow() {
  const size_t bytes = chunks_.size() * kChunkBytes;
  if (chunks_.size() == kChunksMax) return absl::ResourceExhaustedError("it is full");
  // A page that the disk has no room for would end the process when it is counted in.
  const int error = ::posix_fallocate(fd_.get(), static_cast<off_t>(bytes), kChunkBytes);
  if (error != 0) {
    [[maybe_unused]] const int ignored = ::ftruncate(fd_.get(), static_cast<off_t>(bytes));
    return absl::ErrnoToStatus(error, "cannot make it larger");
  }
  return MapChunk(bytes);
}

absl::Status CounterFile::Begin() {
  if (chunks_.empty()) GOCOMET_RETURN_IF_ERROR(Grow());
  auto* header = reinterpret_cast<FileHeader*>(chunks_.front());
  header->incarnation = RandomIncarnation();
  header->magic.store(kMagic, std::memory_order_release);
  unused_ = chunks_.front() + sizeof(FileHeader);
  return absl::OkStatus();
}

absl::Status CounterFile::Continue(size_t bytes) {
  // Less than a chunk at the end: its process was killed while it made the file larger.
  const size_t chunks = bytes / kChunkBytes;
  if (chunks == 0 || chunks > kChunksMax) return NotOurs(Cat("it has ", bytes, " bytes"));
  for (size_t i = 0; i < chunks; ++i) {
    GOCOMET_RETURN_IF_ERROR(MapChunk(i * kChunkBytes));
  }
  const auto* header = reinterpret_cast<const FileHeader*>(chunks_.front());
  const uint64_t magic = header->magic.load(std::memory_order_acquire);
  if (access_ == Access::kCount && magic == 0) return Begin();
  if (magic != kMagic || header->incarnation == 0) {
    return NotOurs("its beginning is another's");
  }
  for (std::byte* chunk : chunks_) {
    std::byte* begin = chunk == chunks_.front() ? chunk + sizeof(FileHeader) : chunk;
    GOCOMET_RETURN_IF_ERROR(ReadChunk(begin, chunk + kChunkBytes));
  }
  return absl::OkStatus();
}

absl::Status CounterFile::ReadChunk(std::byte* begin, std::byte* end) {
  while (begin + sizeof(RecordHeader) < end) {
    auto* record = reinterpret_cast<RecordHeader*>(begin);
    if (record->size == 0) break;
    if (record->size % kAlignment != 0 || record->size > static_cast<size_t>(end - begin)) {
      return NotOurs("a record is longer than it can be");
    }
    if (record->used.load(std::memory_order_acquire) != 0) {
      if (!record->fits()) return NotOurs("a record is shorter than what it holds");
      const Key key(record->kind, std::string(record->name(), record->name_size));
      if (!used_.emplace(key, record).second) return NotOurs("a record is there twice");
    } else {
      free_.emplace(record->size, record);
    }
    begin += record->size;
  }
  unused_ = begin;
  return absl::OkStatus();
}

absl::StatusOr<CounterFile::RecordHeader*> CounterFile::NewRecord(size_t size) {
  if (const auto found = free_.find(size); found != free_.end()) {
    RecordHeader* record = found->second;
    free_.erase(found);
    // What is new is all zeros, and takes no memory before it is counted in.
    std::memset(record->name(), 0, record->size - sizeof(RecordHeader));
    return record;
  }
  if (unused_ + size > chunks_.back() + kChunkBytes) {
    GOCOMET_RETURN_IF_ERROR(Grow());
    unused_ = chunks_.back();
  }
  auto* record = reinterpret_cast<RecordHeader*>(unused_);
  unused_ += size;
  record->size = static_cast<uint32_t>(size);
  return record;
}

absl::StatusOr<std::shared_ptr<void>> CounterFile::TakeValues(uint32_t kind, std::string_view name,
                                                              size_t size) {
  if (name.size() > RecordHeader::kNameMax) {
    return absl::InvalidArgumentError(Cat("a name of ", name.size(), " bytes is too long"));
  }
  const auto [place, is_new] = used_.try_emplace(Key(kind, std::string(name)), nullptr);
  if (!is_new && place->second->values_size != size) {
    // Of another layout, which nobody can go on with.
    FreeRecord(*place->second);
    return TakeValues(kind, name, size);
  }
  if (is_new) {
    auto record = NewRecord(RecordHeader::SizeFor(name.size(), size));
    if (!record.ok()) {
      used_.erase(place);
      return record.status();
    }
    RecordHeader& header = **record;
    header.kind = kind;
    header.values_size = static_cast<uint32_t>(size);
    header.name_size = static_cast<uint16_t>(name.size());
    std::memcpy(header.name(), name.data(), name.size());
    // Last: a record is whole, or free.
    header.used.store(1, std::memory_order_release);
    place->second = &header;
  }
  Held& held = held_[place->second->values()];
  std::shared_ptr<void> values = held.values.lock();
  if (!values) {
    // The memory is there for as long as the file is mapped. `held` keeps the deleter, so it must
    // let go by itself.
    values = std::shared_ptr<void>(place->second->values(),
                                   [self = shared_from_this()](void*) mutable { self.reset(); });
    held = {place->second, values};
  }
  return values;
}

const void* CounterFile::FindValues(uint32_t kind, std::string_view name, size_t size) const {
  const auto found = used_.find(Key(kind, std::string(name)));
  if (found == used_.end() || found->second->values_size != size) return nullptr;
  return found->second->values();
}

void CounterFile::FreeValues(const void* values) {
  const auto held = held_.find(values);
  if (held != held_.end()) FreeRecord(*held->second.record);
}

void CounterFile::FreeRecord(RecordHeader& record) {
  used_.erase(Key(record.kind, std::string(record.name(), record.name_size)));
  held_.erase(record.values());
  record.used.store(0, std::memory_order_release);
  free_.emplace(record.size, &record);
}

std::vector<std::string> CounterFile::NamesOf(uint32_t kind, size_t size) const {
  std::vector<std::string> names;
  for (const auto& [key, record] : used_) {
    if (key.first == kind && record->values_size == size) names.push_back(key.second);
  }
  return names;
}

}  // namespace gocomet
