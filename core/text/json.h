// JSON as a value. Files that hold, read or write JSON include this; the library that parses and
// escapes is included by json.cpp alone, because its header takes seconds to compile.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <iosfwd>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace ckptbridge {

struct JsonMember;

// What a text may hold besides what every text may. Without these, both are errors: strings go into
// paths and C strings, where a NUL would end them early, and of a member that is given twice one
// would be lost.
struct JsonRules {
  bool allow_nul = false;
  std::vector<std::string>* repeated = nullptr;  // gets the names; the last value of each is kept
};

// Null, a truth value, a number, a string, an array, or an object whose members keep their order.
// Integers equal integers of any width, and never a floating-point number.
class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<JsonMember>;

  Json() noexcept;  // null
  Json(const Json&);
  Json(Json&&) noexcept;
  Json& operator=(const Json&);
  Json& operator=(Json&&) noexcept;
  ~Json();

  Json(std::nullptr_t) noexcept : Json() {}
  Json(std::same_as<bool> auto value) : value_(bool{value}) {}
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  Json(T value) : value_(static_cast<std::int64_t>(value)) {
    if (!std::in_range<std::int64_t>(value)) value_ = static_cast<std::uint64_t>(value);
  }
  Json(std::floating_point auto value) : value_(double{value}) {}
  Json(std::string value);
  Json(std::string_view value) : Json(std::string(value)) {}
  Json(const char* value) : Json(std::string(value)) {}
  Json(Array values);
  Json(Object members);
  template <class T>
  Json(const std::vector<T>& values) : Json(Array(values.begin(), values.end())) {}
  template <class T>
  Json(const std::map<std::string, T>& members) : Json(object()) {
    for (const auto& [name, value] : members) append(name, value);
  }
  // An object where each value is an array of a string and another value, as in {{"a", 1}, {"b",
  // 2}}; otherwise an array, as from array().
  Json(std::initializer_list<Json> values);
  static Json array(std::initializer_list<Json> values = {});
  static Json object();

  // Throws CORRUPT, which begins with where and a colon if there is a where, for a text that is not
  // JSON, is nested deeper than 64 values, or does not follow the rules.
  static Json parse(std::string_view text, const std::string& where = "",
                    const JsonRules& rules = {});
  // Calls take for each member of the object that text holds, so that a large one is never held as
  // a whole. Throws as parse() does, but for the object's own repeated members, which the caller
  // sees.
  static void parse_members(std::string_view text, const std::string& where,
                            const std::function<void(std::string name, Json value)>& take,
                            const JsonRules& rules = {});
  // In one line, or with members and elements on lines of their own where indent is not negative.
  // What is no UTF-8 becomes U+FFFD. ascii escapes all other characters.
  std::string dump(int indent = -1, bool ascii = false) const;
  // The value for a message: on one line, and cut behind 80 bytes.
  std::string shown() const;

  bool is_null() const { return value_.index() == 0; }
  bool is_boolean() const { return value_.index() == 1; }
  bool is_integer() const { return value_.index() == 2 || value_.index() == 3; }
  bool is_number() const { return is_integer() || value_.index() == 4; }
  bool is_string() const { return value_.index() == 5; }
  bool is_array() const { return value_.index() == 6; }
  bool is_object() const { return value_.index() == 7; }

  // Each throws CORRUPT for a value of another type, and for an integer that T cannot hold.
  template <class T>
  T get() const;
  const std::string& text() const;
  // Nothing for what is no integer of this range.
  std::optional<std::int64_t> integer_within(std::int64_t least, std::int64_t most) const;
  const Array& elements() const;
  const Object& items() const;
  Object& items();

  // Of an array or object; 0 for null.
  std::size_t size() const;
  bool empty() const { return size() == 0; }

  // Elements of an array; [] and back() of what is none, or is too short, throw CORRUPT.
  Array::const_iterator begin() const { return elements().begin(); }
  Array::const_iterator end() const { return elements().end(); }
  Array::iterator begin() { return array_to_change().begin(); }
  Array::iterator end() { return array_to_change().end(); }
  const Json& operator[](std::size_t index) const;
  Json& operator[](std::size_t index);
  Json& back();
  void push_back(Json value);  // null becomes an array

  // Members of an object; null and values that are no objects have none. Each call looks through
  // all names.
  const Json* find(std::string_view name) const;
  bool contains(std::string_view name) const { return find(name) != nullptr; }
  const Json& at(std::string_view name) const;  // throws CORRUPT where there is none
  const Json& operator[](std::string_view name) const { return at(name); }
  // Adds the member where there is none; null becomes an object.
  Json& operator[](std::string_view name);
  Json value(std::string_view name, Json otherwise) const;
  void append(std::string name,
              Json value);  // the object must not have the member; looks at no other
  void erase(std::string_view name);
  void update(const Json& other);  // sets all members of other

  friend bool operator==(const Json& a, const Json& b);
  friend std::ostream& operator<<(std::ostream& out, const Json& json);

 private:
  Array& array_to_change();
  std::int64_t integer(std::int64_t least, std::int64_t most) const;
  std::uint64_t unsigned_integer(std::uint64_t most) const;
  bool boolean() const;
  double number() const;
  [[noreturn]] void expected(const char* what) const;
  void write(std::string& out, int indent, int depth, bool ascii) const;

  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Array,
               Object>
      value_;
};

struct JsonMember {
  std::string name;
  Json value;
  friend bool operator==(const JsonMember& a, const JsonMember& b) = default;
};

template <class T>
T Json::get() const {
  if constexpr (std::same_as<T, bool>) {
    return boolean();
  } else if constexpr (std::signed_integral<T>) {
    return static_cast<T>(integer(std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
  } else if constexpr (std::unsigned_integral<T>) {
    return static_cast<T>(unsigned_integer(std::numeric_limits<T>::max()));
  } else if constexpr (std::floating_point<T>) {
    return static_cast<T>(number());
  } else if constexpr (std::same_as<T, std::string>) {
    return text();
  } else {
    T result;
    for (const Json& element : elements()) result.push_back(element.get<typename T::value_type>());
    return result;
  }
}

}  // namespace ckptbridge
