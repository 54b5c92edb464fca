package io.tidemark.cli;

import io.tidemark.client.Json;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Rows under a header, as wide as they need to be. */
final class Table {
    private static final String GAP = "  ";

    private Table() {}

    /** @param cell the text of one row's cell; empty prints as a dash */
    record Column(String title, Function<Json, String> cell, boolean numeric) {
        static Column text(String title, String... path) {
            return new Column(title, row -> row.at(path).text(), false);
        }

        static Column joined(String title, String... path) {
            return new Column(
                    title,
                    row -> String.join(
                            " ", row.at(path).items().stream().map(Json::text).toList()),
                    false);
        }

        /** Of volumes and snapshots: 0 is what a storage that does not tell says, for no image is empty. */
        static Column size(String title, String... path) {
            return new Column(
                    title,
                    row -> row.at(path).missing() || row.at(path).number() == 0
                            ? ""
                            : Units.size(row.at(path).number()),
                    true);
        }

        static Column millis(String title, String... path) {
            return new Column(
                    title,
                    row -> row.at(path).missing()
                            ? ""
                            : Units.millis(row.at(path).decimal()),
                    true);
        }

        static Column of(String title, Function<Json, String> cell) {
            return new Column(title, cell, false);
        }
    }

    static void print(PrintWriter out, List<Json> rows, List<Column> columns) {
        List<List<String>> lines = new ArrayList<>();
        lines.add(columns.stream().map(Column::title).toList());
        for (var row : rows) {
            lines.add(columns.stream()
                    .map(column -> column.cell().apply(row))
                    .map(text -> text.isEmpty() ? "-" : text)
                    .toList());
        }
        for (var line : lines) {
            var text = new StringBuilder();
            for (int at = 0; at < columns.size(); at++) {
                int index = at;
                int width = lines.stream()
                        .mapToInt(l -> l.get(index).length())
                        .max()
                        .orElse(0);
                String padding = " ".repeat(width - line.get(at).length());
                text.append(at == 0 ? "" : GAP)
                        .append(columns.get(at).numeric() ? padding + line.get(at) : line.get(at) + padding);
            }
            out.println(text.toString().stripTrailing());
        }
    }
}
