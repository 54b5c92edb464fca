package io.tidemark.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;

/** What came of one typed command line. */
record Typed(int exit, String out, String err) {
    static Typed run(String... args) {
        var out = new StringWriter();
        var err = new StringWriter();
        int exit = TidemarkCommand.run(args, Map.of(), new PrintWriter(out, true), new PrintWriter(err, true));
        return new Typed(exit, out.toString(), err.toString());
    }
}
