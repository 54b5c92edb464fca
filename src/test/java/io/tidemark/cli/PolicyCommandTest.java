package io.tidemark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.spi.PublishedLimit;
import io.tidemark.spi.PublishedLimit.Kind;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PolicyCommandTest {
    private static final PolicyCommand GCE = new PolicyCommand((name, config) -> {
        if (!name.equals("disks")) {
            throw new IllegalArgumentException("provider " + name + " is not part of this distribution");
        }
        return new PolicyCommand.Found(
                "gce",
                List.of(
                        new PublishedLimit(
                                "standard", Kind.CUTS_OF_VOLUME, 6, Duration.ofHours(1), "a page, read once"),
                        new PublishedLimit("instant", Kind.SNAPSHOTS_OF_VOLUME, 32, Duration.ZERO, "another")));
    });

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @TempDir
    Path folder;

    private int typed(String... words) {
        var all = new ArrayList<>(List.of("policy"));
        all.addAll(List.of(words));
        return TidemarkCommand.run(
                all.toArray(String[]::new),
                Map.of("policy", GCE),
                new PrintWriter(out, true),
                new PrintWriter(err, true));
    }

    @Test
    void impossibleScheduleIsRefusedWithTheNearestAndItsSource() {
        int exit = typed("check", "--provider", "disks", "--every", "5m", "--keep", "12");

        assertThat(exit).isEqualTo(ExitCode.REFUSED);
        assertThat(out.toString())
                .contains("impossible  standard: every 5m, 12 kept of each of 1")
                .contains("12 cuts of a volume in 1h, at most 6; nearest: every 10m")
                .contains("a page, read once")
                .contains("possible    instant");
    }

    @Test
    void possibleOneIsSaidToBe() {
        assertThat(typed("check", "--provider", "disks", "--every", "10m", "--keep", "33"))
                .isEqualTo(ExitCode.OK);
        assertThat(out.toString()).contains("possible    standard", "keep 32");
    }

    @Test
    void whatIsWrongIsNamed() {
        assertThat(typed("check", "--provider", "none", "--every", "10m", "--keep", "1"))
                .isEqualTo(ExitCode.USAGE);
        assertThat(typed("check", "--provider", "disks", "--every", "10ms", "--keep", "1"))
                .isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("provider none is not part", "at least 1 s");
    }

    private int cost(String prices, String... more) throws Exception {
        var file = Files.writeString(folder.resolve("prices.yaml"), prices);
        var words = new ArrayList<>(List.of(
                "cost", "--provider", "disks", "--every", "1h", "--keep", "24", "--used", "100GiB", "--prices"));
        words.add(file.toString());
        words.addAll(List.of(more));
        return typed(words.toArray(String[]::new));
    }

    @Test
    void costIsToldLineByLineAndWhatHasNoPriceIsNamed() throws Exception {
        int exit = cost("currency: EUR\nproviders: {gce: {storageGibMonth: 0.05}}", "--changed", "1GiB", "--read-out");

        assertThat(exit).isEqualTo(ExitCode.OK);
        assertThat(out.toString())
                .contains("an estimate")
                .containsPattern("snapshots kept +123.0 GiB +6.15")
                .containsPattern("read out of the cloud +730.0 GiB +no price")
                .containsPattern("of what has a price +6.15 EUR");
    }

    @Test
    void wrongPricesAreNamed() throws Exception {
        assertThat(cost("providers: {gce: {storage: 1}}", "--changed", "1GiB")).isEqualTo(ExitCode.USAGE);
        assertThat(cost("providers: {gce: {copyGib: -1}}", "--changed", "1GiB")).isEqualTo(ExitCode.USAGE);
        assertThat(cost("providers: {ebs: {copyGib: 1}}", "--changed", "1GiB")).isEqualTo(ExitCode.USAGE);
        assertThat(cost("providers: {gce: {copyGib: 1}}")).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString())
                .contains("providers.gce.storage is no price")
                .contains("providers.gce.copyGib is -1")
                .contains("has no prices of gce; it has those of [ebs]")
                .contains("give one of --changed and --link");
    }

    @Test
    void changeIsMeasuredInWhatALinkHasSent() throws Exception {
        var token = Files.writeString(folder.resolve("token"), "secret-token\n");
        try (var site = new ScriptedSite()) {
            site.on("GET /v1/operations?kind=sync&state=SUCCEEDED&limit=200", 200, """
                    {"items":[
                     {"id":"op-4","subject":"ln-1","createdAt":"2026-11-27T12:00:00Z",
                      "result":{"report":{"base":"rp-2","changedBytes":3221225472}}},
                     {"id":"op-3","subject":"ln-2","createdAt":"2026-11-27T11:00:00Z",
                      "result":{"report":{"base":"rp-2","changedBytes":999999999999}}},
                     {"id":"op-2","subject":"ln-1","createdAt":"2026-11-27T09:00:00Z",
                      "result":{"report":{"base":"rp-1","changedBytes":77}}},
                     {"id":"op-1","subject":"ln-1","createdAt":"2026-11-27T08:00:00Z",
                      "result":{"report":{"changedBytes":107374182400}}}]}""");

            int exit = cost(
                    "providers: {gce: {storageGibMonth: 0.05}}",
                    "--link",
                    "ln-1",
                    "--url",
                    site.url(),
                    "--token-file",
                    token.toString());

            assertThat(err.toString()).isEmpty();
            assertThat(exit).isEqualTo(ExitCode.OK);
            assertThat(out.toString()).contains("1.0 GiB changed every 1h");
        }
    }
}
