#include "ctl/output/table.h"

#include <gtest/gtest.h>

#include "ctl/output/printer.h"
#include "ctl/output/sheet.h"
#include "ctl/output/style.h"

namespace gocomet::ctl {
namespace {

Table Workers() {
  Table table({"NAME", "STATE"});
  table.Add({{"worker-0"}, {"Ready", Tone::kGood}});
  table.Add({{"w"}, {"BackOff", Tone::kBad}});
  return table;
}

TEST(Table, AlignsItsColumnsAndLeavesNoTrailingSpace) {
  EXPECT_EQ(Workers().Render(Style::Plain()),
            "NAME       STATE\n"
            "worker-0   Ready\n"
            "w          BackOff\n");
}

TEST(Table, GoesWithoutHeadersWhereAsked) {
  EXPECT_EQ(Workers().Render(Style::Plain(), false), "worker-0   Ready\nw          BackOff\n");
}

TEST(Table, ShowsAnEmptyCellAsADash) {
  Table table({"A", "B"});
  table.Add({{""}, {""}});
  EXPECT_EQ(table.Render(Style::Plain()), "A   B\n-   -\n");
}

TEST(Table, AlignsByColumnsOfTheTerminalRatherThanBytes) {
  Table table({"A", "B"});
  table.Add({{"日本"}, {"x"}});
  table.Add({{"größe"}, {"x"}});
  EXPECT_EQ(table.Render(Style::Plain()), "A       B\n日本    x\ngröße   x\n");
}

TEST(Table, KeepsARowOnOneLineWhateverItsCellsHold) {
  Table table({"A"});
  table.Add({{"a\nFAKE\x1B[2J"}});
  EXPECT_EQ(table.Render(Style::Plain()), "A\na FAKE [2J\n");
}

TEST(Table, ColoursWordsWithoutMovingColumns) {
  const std::string coloured = Workers().Render(Style(true));
  EXPECT_NE(coloured.find("\033[32mReady\033[0m\n"), std::string::npos) << coloured;
  EXPECT_NE(coloured.find("w          \033[31mBackOff\033[0m\n"), std::string::npos) << coloured;
}

TEST(RowStream, ShowsHeadersOnce) {
  RowStream stream({"NAME", "STATE"}, true);
  EXPECT_EQ(stream.Next(Workers(), Style::Plain()).substr(0, 4), "NAME");
  EXPECT_EQ(stream.Next(Workers(), Style::Plain()), "worker-0   Ready\nw          BackOff\n");
}

TEST(RowStream, WidensAColumnAndNeverNarrowsIt) {
  RowStream stream({"N", "S"}, true);
  const auto row = [&](const char* name) {
    Table table({"N", "S"});
    table.Add({{name}, {"x"}});
    return stream.Next(table, Style::Plain());
  };
  EXPECT_EQ(row("a"), "N   S\na   x\n");
  EXPECT_EQ(row("abc"), "abc   x\n");
  EXPECT_EQ(row("a"), "a     x\n");
}

TEST(Sheet, PutsValuesInOneColumnAndLeavesEmptyOnesOut) {
  Sheet sheet(Style::Plain());
  sheet.Line("Name", {"worker-0"});
  sheet.Line("Reason", {""});
  sheet.Line("A key longer than most", {"x\ny"});
  sheet.Heading("Workers");
  sheet.Indented(Workers());
  EXPECT_EQ(sheet.text(),
            "Name:               worker-0\n"
            "A key longer than most: x y\n"
            "Workers:\n"
            "  NAME       STATE\n"
            "  worker-0   Ready\n"
            "  w          BackOff\n");
}

TEST(Style, IsPlainWithoutColours) {
  EXPECT_EQ(Style::Plain().Paint("x", Tone::kBad), "x");
  EXPECT_EQ(Style::Plain().PaintByIndex("x", 3), "x");
}

TEST(Style, GivesAnIndexTheSameColourEachTime) {
  const Style style(true);
  EXPECT_EQ(style.PaintByIndex("x", 7), style.PaintByIndex("x", 7));
  EXPECT_NE(style.PaintByIndex("x", 0), style.PaintByIndex("x", 1));
}

TEST(Style, KnowsGoodAndBadWords) {
  EXPECT_EQ(ToneOf("Ready"), Tone::kGood);
  EXPECT_EQ(ToneOf("Draining"), Tone::kWaiting);
  EXPECT_EQ(ToneOf("BackOff"), Tone::kBad);
  EXPECT_EQ(ToneOf("Stopped"), Tone::kFaint);
  EXPECT_EQ(ToneOf("Unknown(9)"), Tone::kPlain);
}

TEST(OutputForm, IsOneOfFiveWords) {
  EXPECT_EQ(ParseOutputForm("wide"), OutputForm::kWide);
  EXPECT_EQ(ParseOutputForm("name"), OutputForm::kName);
  EXPECT_EQ(ParseOutputForm("xml"), std::nullopt);
  EXPECT_EQ(ParseOutputForm("JSON"), std::nullopt);
}

}  // namespace
}  // namespace gocomet::ctl
