#include "controlplane/runtime/tar_writer.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

constexpr size_t kBlockBytes = 512;

// A field of the header, as POSIX.1-1988 places them (pax(1), "ustar Interchange Format").
struct Field {
  size_t offset;
  size_t bytes;
};
constexpr Field kName{0, 100};
constexpr Field kMode{100, 8};
constexpr Field kOwner{108, 8};
constexpr Field kGroup{116, 8};
constexpr Field kSize{124, 12};
constexpr Field kTime{136, 12};
constexpr Field kChecksum{148, 8};
constexpr Field kType{156, 1};
constexpr Field kMagic{257, 8};

void Put(std::string& header, Field field, std::string_view text) {
  header.replace(field.offset, std::min(field.bytes, text.size()), text.substr(0, field.bytes));
}

// Octal digits, with one byte of zero behind them.
void PutNumber(std::string& header, Field field, uint64_t number) {
  for (size_t i = field.offset + field.bytes - 1; i-- > field.offset; number >>= 3) {
    header[i] = static_cast<char>('0' + (number & 7));
  }
}

uint64_t Checksum(std::string_view header) {
  uint64_t sum = 0;
  for (const char c : header) sum += static_cast<uint8_t>(c);
  return sum;
}

}  // namespace

absl::Status TarWriter::Add(std::string_view name, std::string_view content, unsigned mode) {
  if (name.empty() || name.size() > kNameBytesMax) {
    return absl::InvalidArgumentError(Cat(
        "'", name, "' cannot be a name in a tar archive: expected 1 to ", kNameBytesMax, " bytes"));
  }
  std::string header(kBlockBytes, '\0');
  Put(header, kName, name);
  PutNumber(header, kMode, mode);
  PutNumber(header, kOwner, 0);
  PutNumber(header, kGroup, 0);
  PutNumber(header, kSize, content.size());
  PutNumber(header, kTime, 0);
  Put(header, kType, "0");
  Put(header, kMagic, std::string_view("ustar\00000", 8));
  Put(header, kChecksum, "        ");  // Counts as blanks while it is summed up.
  const uint64_t sum = Checksum(header);
  PutNumber(header, {kChecksum.offset, 7}, sum);
  header[kChecksum.offset + 6] = '\0';

  archive_.append(header);
  archive_.append(content);
  archive_.append((kBlockBytes - content.size() % kBlockBytes) % kBlockBytes, '\0');
  return absl::OkStatus();
}

std::string TarWriter::Finish() && {
  archive_.append(2 * kBlockBytes, '\0');
  return std::move(archive_);
}

}  // namespace gocomet::controlplane
