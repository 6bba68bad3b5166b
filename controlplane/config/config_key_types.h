#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/base/duration_text.h"
#include "common/base/text.h"
#include "controlplane/config/config_key.h"
#include "controlplane/config/yaml_text.h"

// The kinds of keys. Each takes a `field` that gives a reference to the value within its owner, and
// is called with a const owner, too.
namespace gocomet::controlplane {

// Digits only: no sign, no leading zero, no base, no fraction.
std::optional<uint64_t> DecimalNumber(const YamlNode& node);

// In quotes, or something that no reader of YAML takes for a number, a boolean or nothing.
bool IsText(const YamlNode& scalar);

// Whatever stands there, as it is written.
inline bool IsWritten(const YamlNode& scalar) {
  return scalar.kind == YamlNode::Kind::kPlain || scalar.kind == YamlNode::Kind::kQuoted;
}

template <typename T>
inline constexpr bool kIsOptional = false;
template <typename T>
inline constexpr bool kIsOptional<std::optional<T>> = true;

// How a group of keys of one owner is made: Keys<Service>().Number("replicas", …).
template <typename Owner>
class KeysOf {
 public:
  using Part = ConfigKey::Part;

  // Of the keys that follow.
  KeysOf& In(Part part) {
    part_ = part;
    return *this;
  }

  // The number itself, or the milliseconds.
  template <typename Field>
  ConfigKey& Number(std::string name, uint64_t min, uint64_t max, std::string_view unit,
                    Field field, std::string meaning) {
    using Value = Plain<Field>;
    ConfigKey& key =
        Add(std::move(name),
            Cat("a whole number", unit.empty() ? "" : " of ", unit, " from ", min, " to ", max),
            std::move(meaning));
    key.scalar =
        ConfigKey::Scalar{[min, max, field](const YamlNode& scalar, void* owner) {
                            const auto number = DecimalNumber(scalar);
                            if (!number || *number < min || *number > max) return false;
                            if constexpr (kIsOptional<Value>) {
                              field(To(owner)) = static_cast<typename Value::value_type>(*number);
                            } else {
                              field(To(owner)) = static_cast<Value>(*number);
                            }
                            return true;
                          },
                          [field](const void* owner) -> std::string {
                            if constexpr (kIsOptional<Value>) {
                              return field(From(owner)) ? std::to_string(*field(From(owner))) : "";
                            } else if constexpr (std::is_same_v<Value, std::chrono::milliseconds>) {
                              return std::to_string(field(From(owner)).count());
                            } else {
                              return std::to_string(field(From(owner)));
                            }
                          },
                          {.kind = ScalarShape::Kind::kWholeNumber, .min = min, .max = max}};
    return key;
  }

  // A text that `accepts` likes.
  template <typename Accepts, typename Field>
  ConfigKey& Text(std::string name, std::string expected, Accepts accepts, Field field,
                  std::string meaning) {
    return Read(
        std::move(name), std::move(expected), {},
        [accepts, field](const YamlNode& scalar, Owner& owner) {
          if (!IsText(scalar) || !accepts(scalar.text)) return false;
          field(owner) = scalar.text;
          return true;
        },
        [field](const Owner& owner) { return YamlText(field(owner)); }, std::move(meaning));
  }

  template <typename Field>
  ConfigKey& Switch(std::string name, Field field, std::string meaning) {
    return Read(
        std::move(name), "true or false", {.kind = ScalarShape::Kind::kBoolean},
        [field](const YamlNode& scalar, Owner& owner) {
          const bool is_either = scalar.text == "true" || scalar.text == "false";
          if (scalar.kind != YamlNode::Kind::kPlain || !is_either) return false;
          field(owner) = scalar.text == "true";
          return true;
        },
        [field](const Owner& owner) { return std::string(field(owner) ? "true" : "false"); },
        std::move(meaning));
  }

  // One of the enumerators, under the name that ToString gives it.
  template <typename Field, typename Enum = std::remove_cvref_t<
                                std::invoke_result_t<Field, std::add_lvalue_reference_t<Owner>>>>
  ConfigKey& Choice(std::string name, std::vector<Enum> choices, Field field, std::string meaning) {
    ScalarShape shape;
    std::string expected;
    for (size_t i = 0; i < choices.size(); ++i) {
      shape.choices.emplace_back(ToString(choices[i]));
      expected += Cat(i == 0 ? "" : i + 1 < choices.size() ? ", " : " or ", shape.choices.back());
    }
    return Read(
        std::move(name), std::move(expected), std::move(shape),
        [choices, field](const YamlNode& scalar, Owner& owner) {
          for (const Enum choice : choices) {
            if (scalar.text != ToString(choice)) continue;
            field(owner) = choice;
            return true;
          }
          return false;
        },
        [field](const Owner& owner) { return std::string(ToString(field(owner))); },
        std::move(meaning));
  }

  // `500ms`, `5s`, `2m`: whole milliseconds; `0s` means what `zero` says, where it says anything.
  template <typename Field>
  ConfigKey& Duration(std::string name, std::chrono::milliseconds min,
                      std::chrono::milliseconds max, std::string_view zero, Field field,
                      std::string meaning) {
    return Read(
        std::move(name),
        Cat("a duration from ", FormatDuration(min), " to ", FormatDuration(max),
            ", such as 500ms, 5s or 1m30s", zero.empty() ? "" : ", or 0 for ", zero),
        {.pattern = "^([0-9]+(h|m|s|ms|us))+$", .or_zero = min.count() == 0 || !zero.empty()},
        [min, max, may_be_zero = !zero.empty(), field](const YamlNode& scalar, Owner& owner) {
          const auto duration = IsWritten(scalar) ? ParseDuration(scalar.text)
                                                  : absl::InvalidArgumentError("not a scalar");
          if (!duration.ok()) return false;
          const auto whole = std::chrono::floor<std::chrono::milliseconds>(*duration);
          const bool fits = whole == *duration &&
                            ((whole >= min && whole <= max) || (may_be_zero && whole.count() == 0));
          if (fits) field(owner) = whole;
          return fits;
        },
        [field](const Owner& owner) -> std::string {
          if constexpr (kIsOptional<Plain<Field>>) {
            return field(owner) ? FormatDuration(*field(owner)) : "";
          } else {
            return FormatDuration(field(owner));
          }
        },
        std::move(meaning));
  }

  // Any other scalar: `read` gets an Owner&, `write` gives YAML.
  template <typename ReadScalar, typename WriteScalar>
  ConfigKey& Read(std::string name, std::string expected, ScalarShape shape, ReadScalar read,
                  WriteScalar write, std::string meaning) {
    ConfigKey& key = Add(std::move(name), std::move(expected), std::move(meaning));
    key.scalar = ConfigKey::Scalar{
        [read](const YamlNode& scalar, void* owner) { return read(scalar, To(owner)); },
        [write](const void* owner) { return write(From(owner)); }, std::move(shape)};
    return key;
  }

  // `keys`: of what `field` refers to.
  template <typename Field, typename Inner>
  ConfigKey& Group(std::string name, KeysOf<Inner> keys, Field field, std::string meaning) {
    ConfigKey& key = Add(std::move(name), "", std::move(meaning));
    key.group = ConfigKey::Group{std::move(keys).Take(), [field](void* owner) -> void* {
                                   Inner& inner = field(To(owner));
                                   return &inner;
                                 }};
    return key;
  }

  // A list; `entry` is about one Item.
  template <typename Item, typename Field>
  ConfigKey& List(std::string name, std::string expected, size_t max, ConfigKey entry, Field field,
                  std::string meaning) {
    ConfigKey& key = Add(std::move(name), std::move(expected), std::move(meaning));
    ConfigKey::Entries entries;
    entries.max = max;
    entries.each = [field](const void* owner, const auto& visit) {
      for (const Item& item : field(From(owner))) visit("", &item);
    };
    entries.add = [field](void* owner, const std::string&) -> void* {
      return &field(To(owner)).emplace_back();
    };
    entries.blank = [](const std::string&) { return std::make_shared<Item>(); };
    entries.entry = std::make_shared<const ConfigKey>(std::move(entry));
    key.entries = std::move(entries);
    return key;
  }

  // A list of texts that `accepts` likes.
  template <typename Accepts, typename Field>
  ConfigKey& Texts(std::string name, std::string expected, size_t max, std::string each,
                   Accepts accepts, Field field, std::string meaning) {
    KeysOf<std::string> one;
    one.Text(
        "", std::move(each), accepts, [](auto& text) -> auto& { return text; }, "");
    return List<std::string>(std::move(name), std::move(expected), max, std::move(one).TakeOnly(),
                             field, std::move(meaning));
  }

  // Any other list or mapping.
  ConfigKey& EntriesOf(std::string name, std::string expected, ConfigKey::Entries entries,
                       std::string meaning) {
    ConfigKey& key = Add(std::move(name), std::move(expected), std::move(meaning));
    key.entries = std::move(entries);
    return key;
  }

  // Valid until another one is added.
  ConfigKey& Last() { return keys_.back(); }
  std::vector<ConfigKey>& all() { return keys_; }
  std::vector<ConfigKey> Take() && { return std::move(keys_); }
  ConfigKey TakeOnly() && { return std::move(keys_.front()); }

 private:
  template <typename Field>
  using Plain = std::remove_cvref_t<decltype(std::declval<Field>()(std::declval<Owner&>()))>;
  static Owner& To(void* owner) { return *static_cast<Owner*>(owner); }
  static const Owner& From(const void* owner) { return *static_cast<const Owner*>(owner); }

  ConfigKey& Add(std::string name, std::string expected, std::string meaning) {
    ConfigKey& key = keys_.emplace_back();
    key.name = std::move(name);
    key.expected = std::move(expected);
    key.meaning = std::move(meaning);
    key.part = part_;
    return key;
  }

  std::vector<ConfigKey> keys_;
  Part part_ = Part::kConfig;
};

}  // namespace gocomet::controlplane
