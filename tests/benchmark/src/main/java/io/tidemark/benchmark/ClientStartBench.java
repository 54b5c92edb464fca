package io.tidemark.benchmark;

import io.tidemark.system.kill.RunningSite;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A client command from start to exit, answered by a site on loopback, beside curl and a JVM that does nothing. */
final class ClientStartBench implements Bench {
    private static final int ROUNDS_MINIMUM = 11;
    private static final double LIMIT_SECONDS = 0.25;
    private static final String CURL = "curl of the same URL";

    @Override
    public String name() {
        return "client-start";
    }

    @Override
    public String description() {
        return "tidemark version and volumes list against a site on loopback, beside curl and java -version";
    }

    @Override
    public List<Measure> run(BenchRun run) throws Exception {
        var folder = run.scratch().resolve("site");
        try (var site = new RunningSite("bench", folder, folder.resolve("volumes"))) {
            site.start();
            var rounds = run.withRoundsOfAtLeast(ROUNDS_MINIMUM);
            List<Measure> measures = new ArrayList<>();
            measures.addAll(measure(rounds, site, "/v1/version", "version"));
            measures.addAll(measure(rounds, site, "/v1/volumes?limit=200", "volumes", "list"));
            return measures;
        }
    }

    private static List<Measure> measure(BenchRun run, RunningSite site, String path, String... words)
            throws Exception {
        String name = "tidemark " + String.join(" ", words);
        Path token = site.state().resolve("admin.token");
        String url = site.client().base().toString();
        var ours = Tool.tidemark(words);
        var bare = new Tool(List.of(Tool.java().toString(), "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-version"));
        Optional<Tool> curl = curl(run, token);
        BenchRun.Timed command = () -> ours.run("--url", url, "--token-file", token);
        BenchRun.Timed asking = () -> {
            if (curl.isPresent()) {
                curl.get().run(url + path);
            }
        };
        // Once untimed: the files of all three are in the page cache then, and the site has answered before.
        command.run();
        asking.run();
        bare.run();

        double[] seconds = run.alternate(command, asking, () -> bare.run());

        return List.of(
                Measure.within(name, seconds[0], "s", "limit", LIMIT_SECONDS),
                curl.isPresent()
                        ? Measure.reported(name, seconds[0], "s", CURL, seconds[1])
                        : Measure.skipped(name, CURL, "curl is missing: apt-get install curl"),
                Measure.reported(name, seconds[0], "s", "java -version", seconds[2]));
    }

    /** The token goes by a file: an argument would show it to everyone on the host. */
    private static Optional<Tool> curl(BenchRun run, Path token) throws Exception {
        try {
            var header = run.scratch().resolve("header");
            Files.writeString(
                    header, "Authorization: Bearer " + Files.readString(token).strip());
            var words = new ArrayList<>(Tool.of("curl", "curl").command());
            words.addAll(List.of("-fsS", "-o", "/dev/null", "-H", "@" + header));
            return Optional.of(new Tool(words));
        } catch (Skipped e) {
            return Optional.empty();
        }
    }
}
