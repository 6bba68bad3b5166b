#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace gocomet {

// From the kernel's generator, fit for secrets. Lower-case hex, two digits per byte.
std::string RandomHex(size_t bytes);

// Never 0, so that 0 can mean "none".
uint64_t RandomIncarnation();

}  // namespace gocomet
