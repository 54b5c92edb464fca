package io.tidemark.cli;

import io.tidemark.client.ClientException;
import io.tidemark.client.Json;
import io.tidemark.client.SiteClient;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Which site to ask, how to prove who asks, and how to show the answer: the options of every client command. */
final class SiteOptions {
    static final String URL_DEFAULT = "http://127.0.0.1:7420";
    /** Where a site with the default configuration puts its first token. */
    private static final Path TOKEN_FILE_DEFAULT = Path.of("/var/lib/tidemark/admin.token");

    @Option(
            names = "--url",
            paramLabel = "URL",
            defaultValue = "${env:TIDEMARK_URL:-" + URL_DEFAULT + "}",
            description = "The site's API; default: TIDEMARK_URL, then " + URL_DEFAULT + ".")
    private String url = URL_DEFAULT;

    @Option(
            names = "--token-file",
            paramLabel = "FILE",
            defaultValue = "${env:TIDEMARK_TOKEN_FILE:-" + Option.NULL_VALUE + "}",
            description = "File that holds the bearer token; default: TIDEMARK_TOKEN_FILE, then"
                    + " /var/lib/tidemark/admin.token.")
    private @Nullable Path tokenFile;

    @Option(
            names = "--ca-file",
            paramLabel = "FILE",
            defaultValue = "${env:TIDEMARK_CA_FILE:-" + Option.NULL_VALUE + "}",
            description = "PEM certificates to trust instead of the system's; default: TIDEMARK_CA_FILE.")
    private @Nullable Path authorityFile;

    @Option(names = "--json", description = "Print what the site answered, as JSON.")
    private boolean json;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    @SuppressWarnings("UnusedVariable") // the parser reads it
    private boolean help;

    @Spec(Spec.Target.MIXEE)
    private @Nullable CommandSpec spec;

    private @Nullable SiteClient client;

    SiteClient client() throws ClientException {
        if (client == null) {
            client = new SiteClient(SiteClient.address(url), tokenFile(), Optional.ofNullable(authorityFile));
        }
        return client;
    }

    private Optional<Path> tokenFile() {
        if (tokenFile == null && Files.isReadable(TOKEN_FILE_DEFAULT)) {
            return Optional.of(TOKEN_FILE_DEFAULT);
        }
        return Optional.ofNullable(tokenFile);
    }

    boolean json() {
        return json;
    }

    CommandSpec spec() {
        if (spec == null) {
            throw new AssertionError("options used before the command line was parsed");
        }
        return spec;
    }

    PrintWriter out() {
        return spec().commandLine().getOut();
    }

    PrintWriter err() {
        return spec().commandLine().getErr();
    }

    /** One document. */
    int show(Json document) {
        if (json) {
            out().println(document.pretty());
        } else {
            Sheet.print(out(), document);
        }
        return ExitCode.OK;
    }

    /** A list. */
    int show(List<Json> items, List<Table.Column> columns) {
        if (json) {
            out().println(Json.of(items).pretty());
        } else {
            Table.print(out(), items, columns);
        }
        return ExitCode.OK;
    }

    /** A line for people, or the document for programs. */
    int say(String line, Json document) {
        out().println(json ? document.pretty() : line);
        return ExitCode.OK;
    }
}
