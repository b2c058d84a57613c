// What the page of a plan is made of.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/page/flow_picture.h"
#include "cli/page/html_page.h"
#include "cli/page/layer_table.h"

namespace ckptbridge::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(HtmlText, StandsForNothingButItself) {
  EXPECT_EQ(html_text("<a href=\"x\" title='y'>&amp;</a>"),
            "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;");
  EXPECT_EQ(html_text(std::string_view("a\0\x1b\xff\n", 5)), "a\\x00\\x1b\\xff\\x0a");
  EXPECT_EQ(html_text("wörd €"), "wörd €");
}

TEST(Layer, IsTheNameUpToItsFirstNumberOrItsLastWord) {
  EXPECT_EQ(layer_of("module.decoder.layers.12.mlp.0.weight"), "module.decoder.layers.12");
  EXPECT_EQ(layer_of("sequential.2.mlp.w1.weight"), "sequential.2");
  EXPECT_EQ(layer_of("embedding.word_embeddings.weight"), "embedding.word_embeddings");
  EXPECT_EQ(layer_of("weight"), "weight");
  EXPECT_EQ(layer_of("0"), "0");
  EXPECT_EQ(layer_of(""), "");
}

Flow some_flow() {
  return {{{"in", {"1 file"}}, {"reader", {}}, {"out", {}}}, {"", ""}, 100, 75, 0};
}

TEST(FlowPicture, ShowsWhatIsLeftOutAndComparedOnlyWhereThereIsSome) {
  Flow flow = some_flow();
  EXPECT_THAT(flow_picture(flow), HasSubstr(">25 B</text>"));
  EXPECT_THAT(flow_picture(flow), Not(HasSubstr("compared only")));
  flow.checked = 25;
  EXPECT_THAT(flow_picture(flow), HasSubstr("compared only"));
  EXPECT_THAT(flow_picture(flow), Not(HasSubstr("left out")));
}

TEST(FlowPicture, DrawsAFlowAsThickAsItsBytesAreMany) {
  EXPECT_THAT(flow_picture(some_flow()), HasSubstr("class=\"flow\" d=\"M190"));
  EXPECT_THAT(flow_picture(some_flow()), HasSubstr("stroke-width=\"12.5\""));
  Flow nothing = some_flow();
  nothing.declared = nothing.used = 0;
  EXPECT_THAT(flow_picture(nothing), HasSubstr("stroke-width=\"2.0\""));
}

TEST(FlowPicture, CutsLongTextsBetweenCharactersAndKeepsThemInTheTooltip) {
  Flow flow = some_flow();
  flow.boxes[1].title = "äääääääääääääääääääääääääääääääää<";
  const std::string picture = flow_picture(flow);
  EXPECT_THAT(picture, HasSubstr(">äääääääääääääääääääääää…</text>"));
  EXPECT_THAT(picture, HasSubstr("<title>" + flow.boxes[1].title.substr(0, 66) + "&lt;</title>"));
}

}  // namespace
}  // namespace ckptbridge::cli
