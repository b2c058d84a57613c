#include "plugins/evo2/propose.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "ckptbridge/error.hpp"
#include "plugins/evo2/expression.h"

namespace ckptbridge::evo2 {
namespace {

constexpr std::string_view kLetters = "SDH*";
constexpr std::size_t kMostLayers = 4096;
constexpr std::int64_t kMostTried = 4096;  // values of a field that only stands in a formula

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

std::optional<std::uint64_t> place_number(std::string_view tensor_name) {
  const std::size_t begin = tensor_name.find('.') + 1;
  std::uint64_t number = 0;
  const auto [end, code] =
      std::from_chars(tensor_name.data() + begin, tensor_name.data() + tensor_name.size(), number);
  return code == std::errc() && number <= 2 * kMostLayers ? std::optional(number) : std::nullopt;
}

// The names in an expression, but for its functions.
std::set<std::string> names_in(std::string_view expression) {
  std::set<std::string> out;
  std::string word;
  for (const char c : std::string(expression) + " ") {
    const bool letter = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
    if (letter) {
      word += c;
      continue;
    }
    if (!word.empty() && std::isdigit(static_cast<unsigned char>(word[0])) == 0) out.insert(word);
    word.clear();
  }
  out.erase("round_up");
  return out;
}

// The tensors of sequential.N, by what follows.
using Place = std::map<std::string_view, const TensorShape*>;

class Derivation {
 public:
  Derivation(const Catalogue& catalogue, const NameTable& names,
             const std::vector<TensorShape>& found)
      : catalogue_(catalogue), names_(names) {
    for (const TensorShape& tensor : found) {
      const std::string_view parameter = parameter_name(tensor.name);
      if (parameter.empty()) continue;
      if (const auto number = place_number(tensor.name)) places_[*number][parameter] = &tensor;
    }
  }

  // The fields that tensors show. Throws Error where they do not make one model.
  std::map<std::string, Value> fields() {
    find_layers();
    find_flags();
    find_norm();
    for (const bool dropped : {false, true}) find_sizes(dropped);
    solve_formulas();
    return fields_;
  }

 private:
  [[noreturn]] static void fail(const std::string& message) {
    throw Error(CKB_UNSUPPORTED, message);
  }

  std::uint64_t place_of(Position at, std::size_t layer) const {
    const auto rule = std::find_if(names_.positions.begin(), names_.positions.end(),
                                   [&](const auto& entry) { return entry.first == at; });
    return evaluate(rule->second, lookup(layer), "savanna.json");
  }

  Lookup lookup(std::size_t layer) const {
    return [this, layer](const std::string& name) -> std::int64_t {
      if (name == "layer") return static_cast<std::int64_t>(layer);
      const auto known = fields_.find(name);
      const Field* field = catalogue_.fields().find(name);
      const Value* value = known != fields_.end()                     ? &known->second
                           : field != nullptr && field->default_value ? &*field->default_value
                                                                      : nullptr;
      const auto* number = value == nullptr ? nullptr : std::get_if<std::int64_t>(value);
      if (number == nullptr) fail(name + " shows in no tensor");
      return *number;
    };
  }

  bool fits(const Place& place, char letter) const {
    std::set<std::string_view> allowed;
    for (const Parameter& parameter : names_.parameters) {
      for (const Occurrence& occurrence : parameter.occurrences) {
        const Scope& scope = occurrence.scope;
        if (scope.at != Position::kLayer || scope.layers.find(letter) == std::string::npos) {
          continue;
        }
        allowed.insert(parameter.name);
        const bool required = !occurrence.optional && scope.field.empty();
        if (required && !place.contains(parameter.name)) return false;
      }
    }
    return std::all_of(place.begin(), place.end(), [&](const auto& entry) {
      return allowed.contains(entry.first) || names_.find_dropped(entry.second->name) != nullptr;
    });
  }

  void find_layers() {
    for (std::size_t layer = 0; layer < kMostLayers; ++layer) {
      const auto place = places_.find(place_of(Position::kLayer, layer));
      if (place == places_.end()) break;
      std::string letters;
      for (const char letter : kLetters) {
        if (fits(place->second, letter)) letters += letter;
      }
      if (letters.size() != 1) break;
      layers_.emplace_back(letters[0], &place->second);
      pattern_ += letters;
    }
    const std::uint64_t next = place_of(Position::kLayer, layers_.size());
    const auto odd = places_.find(next);
    // The norm may follow at once; anything larger is a layer of no known kind.
    if (layers_.empty() || (odd != places_.end() && odd->second.size() > 1)) {
      fail("sequential." + std::to_string(next) +
           (odd == places_.end() ? " is missing" : " has the tensors of no kind of layer"));
    }
    fields_["hybrid_override_pattern"] = pattern_;
    fields_["num_layers"] = static_cast<std::int64_t>(pattern_.size());
  }

  // Fields that say whether some tensors exist.
  void find_flags() {
    for (const Parameter& parameter : names_.parameters) {
      for (const Occurrence& occurrence : parameter.occurrences) {
        const Scope& scope = occurrence.scope;
        if (scope.field.empty() || scope.at != Position::kLayer) continue;
        std::size_t with = 0;
        std::size_t of = 0;
        for (const auto& [letter, place] : layers_) {
          if (scope.layers.find(letter) == std::string::npos) continue;
          ++of;
          with += place->count(parameter.name);
        }
        if (with != 0 && with != of) {
          fail(parameter.name + " is in " + std::to_string(with) + " of " + std::to_string(of) +
               " layers of its kind");
        }
        if (of != 0) assign(scope.field, with != 0 ? scope.wanted : !scope.wanted, parameter.name);
      }
    }
  }

  // The place of the final norm tells norm_layer_offset, or whatever field its rule has.
  void find_norm() {
    if (has_norm()) return;
    const auto rule =
        std::find_if(names_.positions.begin(), names_.positions.end(),
                     [](const auto& entry) { return entry.first == Position::kNorm; });
    for (const std::string& name : names_in(rule->second)) {
      if (fields_.contains(name)) continue;
      for (std::int64_t value = 0; value < 8; ++value) {
        fields_[name] = value;
        if (has_norm()) return;
      }
      fields_.erase(name);
    }
    fail("the final norm is missing");
  }

  bool has_norm() const {
    const auto place = places_.find(place_of(Position::kNorm, 0));
    if (place == places_.end()) return false;
    return std::any_of(names_.parameters.begin(), names_.parameters.end(), [&](const auto& p) {
      return std::any_of(p.occurrences.begin(), p.occurrences.end(),
                         [&](const Occurrence& o) { return o.scope.at == Position::kNorm; }) &&
             place->second.contains(p.name);
    });
  }

  // Calls visit(expression, size, tensor) for each dimension of each tensor that a rule describes.
  template <typename Visit>
  void for_each_size(bool dropped, const Visit& visit) const {
    const auto look = [&](const Place& place, Position at, char letter) {
      for (const Parameter& parameter : names_.parameters) {
        const auto entry = place.find(parameter.name);
        if (entry == place.end()) continue;
        const TensorShape& tensor = *entry->second;
        if ((names_.find_dropped(tensor.name) != nullptr) != dropped) continue;
        for (const Occurrence& occurrence : parameter.occurrences) {
          const Scope& scope = occurrence.scope;
          if (scope.at != at ||
              (at == Position::kLayer && scope.layers.find(letter) == std::string::npos)) {
            continue;
          }
          if (occurrence.shape.size() != tensor.shape.size()) {
            fail(tensor.name + " has " + std::to_string(tensor.shape.size()) +
                 " dimensions, expected " + std::to_string(occurrence.shape.size()));
          }
          for (std::size_t dim = 0; dim < tensor.shape.size(); ++dim) {
            visit(occurrence.shape[dim], tensor.shape[dim], tensor.name);
          }
        }
      }
    };
    for (const Position at : {Position::kEmbedding, Position::kNorm}) {
      const auto place = places_.find(place_of(at, 0));
      if (place != places_.end()) look(place->second, at, ' ');
    }
    for (const auto& [letter, place] : layers_) look(*place, Position::kLayer, letter);
  }

  void find_sizes(bool dropped) {
    const std::map<std::string, Value> before = fields_;
    for_each_size(
        dropped, [&](const std::string& expression, std::uint64_t size, const std::string& tensor) {
          const Field* field = catalogue_.fields().find(expression);
          if (field == nullptr || field->type != FieldType::kInteger) return;
          // What is dropped tells nothing that the others told.
          if (dropped && before.contains(expression)) return;
          assign(expression, static_cast<std::int64_t>(size), tensor);
        });
  }

  // Fields that only stand in formulas, such as hidden_size / num_attention_heads / 2.
  void solve_formulas() {
    std::map<std::string, std::pair<std::string, std::uint64_t>> open;  // field: formula, size
    for_each_size(true, [&](const std::string& expression, std::uint64_t size, const std::string&) {
      for (const std::string& name : names_in(expression)) {
        const Field* field = catalogue_.fields().find(name);
        if (field == nullptr || field->default_value || fields_.contains(name)) continue;
        open.emplace(name, std::pair(expression, size));
      }
    });
    for (const auto& [name, formula] : open) {
      for (std::int64_t value = 1; value <= kMostTried; ++value) {
        fields_[name] = value;
        if (gives(formula.first, formula.second)) break;
        fields_.erase(name);
      }
    }
  }

  bool gives(const std::string& expression, std::uint64_t size) const {
    try {
      return evaluate(expression, lookup(0), "") == size;
    } catch (const Error&) {  // a remainder, or another field that is not known
      return false;
    }
  }

  void assign(const std::string& field, const Value& value, const std::string& tensor) {
    const auto [known, added] = fields_.emplace(field, value);
    if (added) seen_in_[field] = tensor;
    if (!added && known->second != value) {
      fail(field + " would be " + to_text(known->second) + " by " + seen_in_[field] + " and " +
           to_text(value) + " by " + tensor);
    }
  }

  const Catalogue& catalogue_;
  const NameTable& names_;
  std::map<std::uint64_t, Place> places_;
  std::vector<std::pair<char, const Place*>> layers_;
  std::string pattern_;
  std::map<std::string, Value> fields_;
  std::map<std::string, std::string> seen_in_;
};

double distance(const Profile& profile, const std::map<std::string, Value>& fields) {
  double result = 0;
  for (const auto& [field, value] : fields) {
    const Value& other = profile.values.at(field);
    if (value == other) continue;
    result += 1;
    const auto* a = std::get_if<std::int64_t>(&value);
    const auto* b = std::get_if<std::int64_t>(&other);
    // Among sizes that differ in as many fields, that of the nearer numbers.
    if (a != nullptr && b != nullptr && *a > 0 && *b > 0) {
      result += std::abs(std::log2(static_cast<double>(*a) / static_cast<double>(*b))) / 1024;
    }
  }
  return result;
}

const Profile& nearest(const Catalogue& catalogue, const std::map<std::string, Value>& fields) {
  const Profile* best = nullptr;
  for (const Profile& profile : catalogue.profiles()) {
    if (profile.nemo_class.empty()) continue;
    if (best == nullptr || distance(profile, fields) < distance(*best, fields)) best = &profile;
  }
  if (best == nullptr) throw Error(CKB_UNSUPPORTED, "no size has a class in NeMo");
  return *best;
}

// The parent's value; where the field grows with another, in the parent's proportion.
Value scaled(const Profile& parent, const std::string& field, const std::string& like,
             const std::map<std::string, Value>& fields) {
  const Value& value = parent.values.at(field);
  const auto other = fields.find(like);
  if (other == fields.end()) return value;
  const auto* number = std::get_if<std::int64_t>(&value);
  const auto* size = std::get_if<std::int64_t>(&other->second);
  const std::int64_t parents = parent.integer(like);
  // Fields stay below 2^40; sizes of tensors that do not are refused with the profile.
  if (number == nullptr || size == nullptr || *size > (std::int64_t{1} << 40) || parents < 1 ||
      *number > (std::int64_t{1} << 22)) {
    return value;
  }
  return std::max<std::int64_t>(1, *number * *size / parents);
}

Json head(const std::string& parent, const std::string& comment) {
  Json out = {{"profile_version", 1}, {"name", "my-" + parent}, {"inherits", parent}};
  if (!comment.empty()) out["comment"] = comment;
  out["notes"] = Json::array();
  return out;
}

}  // namespace

Proposal propose(const Catalogue& catalogue, const NameTable& names,
                 const std::vector<TensorShape>& found, const std::vector<Fact>& facts,
                 const std::vector<Unseen>& unseen) {
  try {
    std::map<std::string, Value> fields = Derivation(catalogue, names, found).fields();
    const Profile& parent = nearest(catalogue, fields);
    std::vector<std::string> trusted;
    for (const auto& [field, like] : unseen) {
      if (fields.contains(field)) continue;
      const auto fact = std::find_if(facts.begin(), facts.end(),
                                     [&name = field](const Fact& f) { return f.field == name; });
      if (fact == facts.end()) trusted.push_back(field);
      fields[field] = fact == facts.end() ? scaled(parent, field, like, fields) : fact->value;
    }
    Json json = head(parent.name, trusted.empty() ? ""
                                                  : "no tensor shows " + join(trusted) +
                                                        ": the values follow those of " +
                                                        parent.name + "; check them");
    for (const Field& field : catalogue.fields().all()) {
      const auto value = fields.find(field.name);
      if (value == fields.end()) continue;
      const bool is_unseen = std::any_of(unseen.begin(), unseen.end(), [&](const Unseen& other) {
        return other.field == field.name;
      });
      if (!is_unseen && value->second == parent.values.at(field.name)) continue;
      json[field.name] = to_json(value->second);
    }
    const Profile profile = catalogue.parse(json, "the profile");
    require_convertible(profile, names);
    const Fit fit = compare(profile, names, found);
    if (!fit.exact()) return {"", describe(fit)};
    return {json.dump(2), ""};
  } catch (const Error& error) {
    return {"", error.what()};
  }
}

std::string correction(const Profile& profile, const Catalogue& catalogue,
                       const std::vector<Fact>& facts) {
  const bool own = std::any_of(catalogue.profiles().begin(), catalogue.profiles().end(),
                               [&](const Profile& other) { return other.name == profile.name; });
  const bool unseen =
      std::all_of(facts.begin(), facts.end(), [](const Fact& fact) { return fact.unseen; });
  if (!own || !unseen) return "";
  Json json = head(profile.name, "");
  json.erase("notes");
  for (const Fact& fact : facts) json[fact.field] = to_json(fact.value);
  return "\nif the checkpoint is right, save this profile and pass it with --profile FILE:\n" +
         json.dump(2);
}

}  // namespace ckptbridge::evo2
