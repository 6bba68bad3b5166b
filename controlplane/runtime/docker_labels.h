#pragma once

#include <cstdint>

// By what GoComet knows its containers again.
namespace gocomet::controlplane {

inline constexpr char kClusterLabel[] = "gocomet.cluster";
inline constexpr char kServiceLabel[] = "gocomet.service";
inline constexpr char kOrdinalLabel[] = "gocomet.ordinal";
inline constexpr char kInstanceLabel[] = "gocomet.instance";
inline constexpr char kTemplateLabel[] = "gocomet.template";
inline constexpr char kPortLabel[] = "gocomet.port";
inline constexpr char kWorkloadLabel[] = "gocomet.workload";

// Values of the last: the demo worker, or an image of the user's.
inline constexpr char kDemoWorkload[] = "demo";
inline constexpr char kImageWorkload[] = "image";

// Where the demo worker listens in its container.
inline constexpr uint16_t kDemoPort = 8080;

}  // namespace gocomet::controlplane
