// Automatic chains: which transforms stand between a reader and a writer.
#include "core/chain/chain.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "ckptbridge/error.hpp"
#include "core/text/printable.h"

namespace ckptbridge {
namespace {

constexpr std::size_t kMostTransforms = 4;

std::string stated(const Properties& properties, const std::string& key) {
  const auto found = properties.find(key);
  return found == properties.end() ? "no known " + key : fmt::format("{}={}", key, found->second);
}

bool holds(const Properties& properties, const std::string& key, const std::string& value) {
  const auto found = properties.find(key);
  return found != properties.end() && found->second == value;
}

// Whether this makes the property have this value, by itself or by an option.
bool gives(const Rewrite& rewrite, const std::string& key, const std::string& value) {
  const auto found = rewrite.gives.find(key);
  return found != rewrite.gives.end() &&
         (found->second == value || referenced_option(found->second));
}

// A transform, and one of the things it can do.
struct Choice {
  const Manifest* transform;
  const Rewrite* rewrite;
};

class Completion {
 public:
  explicit Completion(const ChainRequest& request)
      : request_(request), properties_(request.properties), options_(request.options) {
    add_needs_of_writer();
    add_needs_of_user();
  }

  void finish() {
    for (std::string unmet; !(unmet = first_unmet()).empty();) {
      if (taken_.size() == kMostTransforms) refuse_length();
      const auto next = next_transform();
      if (!next) refuse_none(unmet);
      take(*next);
    }
  }

  // Returns the chain. Throws where an option belongs to no plugin of the chain, or to several.
  ChainText checked_chain() const {
    std::vector<const Manifest*> plugins = {request_.reader};
    plugins.insert(plugins.end(), taken_.begin(), taken_.end());
    plugins.push_back(request_.writer);
    require_one_owner(plugins, options_, request_.transforms);
    return chain();
  }

  // Returns the chain without a check of the options.
  ChainText chain() const {
    ChainText chain{request_.input, request_.output, {}};
    chain.steps.push_back({request_.reader->id, options_for(*request_.reader, options_)});
    for (std::size_t i = 0; i < taken_.size(); ++i) {
      chain.steps.push_back({taken_[i]->id, options_for(*taken_[i], options_)});
      auto& options = chain.steps.back().options;
      options.insert(options.end(), set_[i].begin(), set_[i].end());
    }
    chain.steps.push_back({request_.writer->id, options_for(*request_.writer, options_)});
    return chain;
  }

 private:
  void add_needs_of_writer() {
    for (const auto& [key, value] : request_.writer->needs) {
      const auto option = referenced_option(value);
      const auto wanted = option ? option_value(*request_.writer, *option, options_) : value;
      if (wanted) needs_[key] = *wanted;
    }
  }

  void add_needs_of_user() {
    for (const auto* transform : request_.transforms) {
      for (const Rewrite& rewrite : transform->rewrites) {
        for (const auto& [key, value] : rewrite.gives) {
          if (const auto option = referenced_option(value)) add_need(*transform, *option, key);
        }
      }
    }
  }

  // The property key must have the value that the user gave for an option of a transform, if any.
  void add_need(const Manifest& transform, const std::string& option, const std::string& key) {
    if (request_.writer->option(option) != nullptr) return;
    const auto mine = options_for(transform, options_);
    const auto given = std::find_if(mine.begin(), mine.end(), [&](const OptionText& typed) {
      return typed.name == option && typed.value;
    });
    if (given == mine.end()) return;
    const std::string wanted = given->value.value_or("");
    const auto [need, is_new] = needs_.emplace(key, wanted);
    if (!is_new && need->second != wanted) {
      throw Error(CKB_INVALID_ARGUMENT,
                  fmt::format("option {}: {} was given, but {} needs {}={}", option, wanted,
                              request_.writer->id, key, need->second));
    }
    // Met from the start, the option is met without any transform.
    if (holds(properties_, key, wanted)) forget(transform, option);
  }

  // Leaves out what the user gave for an option, because it is taken care of.
  void forget(const Manifest& transform, const std::string& option) {
    std::erase_if(options_, [&](const OptionText& typed) {
      const auto mine = options_for(transform, {typed});
      return !mine.empty() && mine.front().name == option;
    });
  }

  std::string first_unmet() const {
    for (const auto& [key, value] : needs_) {
      if (!holds(properties_, key, value)) return key;
    }
    return "";
  }

  bool accepted(const Rewrite& rewrite) const {
    return std::all_of(rewrite.accepts.begin(), rewrite.accepts.end(), [&](const auto& fact) {
      return holds(properties_, fact.first, fact.second);
    });
  }

  bool is_taken(const Manifest& transform) const {
    return std::find(taken_.begin(), taken_.end(), &transform) != taken_.end();
  }

  // Nothing: none fits any unmet need as things stand.
  std::optional<Choice> next_transform() const {
    for (const auto& [key, value] : needs_) {
      if (holds(properties_, key, value)) continue;
      std::vector<Choice> fits;
      for (const auto* transform : request_.transforms) {
        if (is_taken(*transform)) continue;
        for (const Rewrite& rewrite : transform->rewrites) {
          if (gives(rewrite, key, value) && accepted(rewrite))
            fits.push_back({transform, &rewrite});
        }
      }
      if (fits.size() > 1) refuse_several(key, fits);
      if (fits.size() == 1) return fits.front();
    }
    return std::nullopt;
  }

  void take(const Choice& choice) {
    const Manifest& transform = *choice.transform;
    std::vector<OptionText> set;
    for (const auto& [key, value] : choice.rewrite->gives) {
      const auto option = referenced_option(value);
      const auto need = needs_.find(key);
      if (!option) {
        properties_[key] = value;
      } else if (need != needs_.end()) {
        forget(transform, *option);
        set.push_back({*option, need->second});
        properties_[key] = need->second;
      } else if (const auto other = option_value(transform, *option, options_)) {
        properties_[key] = *other;
      }
    }
    taken_.push_back(&transform);
    set_.push_back(std::move(set));
  }

  [[noreturn]] void refuse_several(const std::string& key, const std::vector<Choice>& fits) const {
    std::string lines;
    for (const Choice& choice : fits) {
      Completion with = *this;
      with.take(choice);
      try {
        with.finish();
      } catch (const Error&) {  // then the line shows how far it got
      }
      lines += "\n  " + run_line(with.chain());
    }
    throw Error(CKB_INVALID_ARGUMENT,
                fmt::format("{} needs {}={}, which {} plugins give", request_.writer->id, key,
                            needs_.at(key), fits.size()),
                {.hint = fmt::format("choose by typing one of{}", lines)});
  }

  [[noreturn]] void refuse_none(const std::string& key) const {
    std::string near;
    for (const auto* transform : request_.transforms) {
      for (const Rewrite& rewrite : transform->rewrites) {
        if (!gives(rewrite, key, needs_.at(key))) continue;
        near += (near.empty() ? ": " : "; ") + why_not({transform, &rewrite});
      }
    }
    std::string found = stated(properties_, key);
    std::string after = taken_.empty() ? "" : " after " + taken_.back()->id;
    throw Error(
        CKB_UNSUPPORTED,
        fmt::format("{} needs {}={}, the checkpoint has {}{}, and no transform leads there{}",
                    request_.writer->id, key, needs_.at(key), found, after, near));
  }

  std::string why_not(const Choice& choice) const {
    if (is_taken(*choice.transform)) {
      return fmt::format("{} is in the chain already", choice.transform->id);
    }
    std::vector<std::string> wrong;
    for (const auto& [fact, value] : choice.rewrite->accepts) {
      if (!holds(properties_, fact, value)) {
        wrong.push_back(fmt::format("{}={} (here: {})", fact, value, stated(properties_, fact)));
      }
    }
    return fmt::format("{} gives it, but from {} only", choice.transform->id, list_text(wrong));
  }

  [[noreturn]] void refuse_length() const {
    throw Error(
        CKB_UNSUPPORTED,
        fmt::format("more than {} transforms would stand between {} and {}; the chain so "
                    "far is\n  {}",
                    kMostTransforms, request_.reader->id, request_.writer->id, run_line(chain())));
  }

  const ChainRequest& request_;
  Properties properties_;
  Properties needs_;
  std::vector<OptionText> options_;
  std::vector<const Manifest*> taken_;
  std::vector<std::vector<OptionText>> set_;  // by completion, parallel to taken_
};

}  // namespace

ChainText complete_chain(const ChainRequest& request) {
  Completion completion(request);
  completion.finish();
  return completion.checked_chain();
}

std::vector<StepText> complete_transforms(const ChainRequest& request) {
  Completion completion(request);
  completion.finish();
  const ChainText chain = completion.chain();
  return {chain.steps.begin() + 1, chain.steps.end() - 1};
}

}  // namespace ckptbridge
