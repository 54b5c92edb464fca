package io.tidemark.cli;

import io.tidemark.client.ClientException;
import io.tidemark.policy.CostEstimate;
import io.tidemark.policy.ScheduleCheck;
import io.tidemark.policy.SnapshotSchedule;
import io.tidemark.spi.DurationText;
import io.tidemark.spi.PublishedLimit;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Whether a schedule is possible, and what it would cost, before anything runs. */
@Command(
        name = "policy",
        description = "Whether a schedule of snapshots can be kept, and what it would cost.",
        addMethodSubcommands = false)
public final class PolicyCommand extends ResourceCommand {
    private static final String CONFIG = "Settings, as of standalone, where the provider has a name of its own.";
    private static final String PROVIDER = "Kind of storage, such as ebs, or the name of one configured.";
    /** What a link has sent is looked for in so many of its newest synchronisations. */
    private static final int MEASURED_MAXIMUM = 200;

    private final Limits limits;

    /** Where the published limits of a provider come from. */
    public interface Limits {
        /** @throws IllegalArgumentException where there is no such provider */
        Found of(String provider, Optional<Path> config);
    }

    /** @param kind of the provider, which may have a name of its own */
    public record Found(String kind, List<PublishedLimit> limits) {}

    public PolicyCommand(Limits limits) {
        this.limits = limits;
    }

    /** Of both verbs. */
    static final class ScheduleOptions {
        @Option(names = "--config", paramLabel = "FILE", description = CONFIG)
        private @Nullable Path config;

        @Option(names = "--provider", paramLabel = "NAME", required = true, description = PROVIDER)
        private String provider = "";

        @Option(
                names = "--every",
                paramLabel = "TIME",
                required = true,
                converter = Units.DurationConverter.class,
                description = "How often a snapshot is taken: the RPO.")
        private Duration every = Duration.ZERO;

        @Option(names = "--keep", paramLabel = "N", required = true, description = "Snapshots kept of each volume.")
        private int keep;

        @Option(names = "--volumes", paramLabel = "N", defaultValue = "1", description = "How many; default 1.")
        private int volumes = 1;

        SnapshotSchedule schedule() {
            return new SnapshotSchedule(every, keep, volumes);
        }
    }

    @Command(
            name = "check",
            description = {
                "Holds a schedule against the limits that the storage publishes; asks nobody. Ends with 0 where it can be"
                        + " kept with the kind of snapshot that is taken, else with "
                        + ExitCode.REFUSED + " and what is nearest."
            })
    int check(@Mixin SiteOptions site, @Mixin ScheduleOptions asked) {
        try {
            var schedule = asked.schedule();
            var found = limits.of(asked.provider, Optional.ofNullable(asked.config));
            var verdicts = ScheduleCheck.of(schedule, found.limits());
            if (verdicts.isEmpty()) {
                site.out().println("%s publishes no limits".formatted(asked.provider));
                return ExitCode.OK;
            }
            verdicts.forEach(verdict -> print(site.out(), schedule, verdict));
            return verdicts.getFirst().possible() ? ExitCode.OK : ExitCode.REFUSED;
        } catch (IllegalArgumentException e) {
            throw new ParameterException(site.spec().commandLine(), e.getMessage(), e);
        }
    }

    private static void print(PrintWriter out, SnapshotSchedule schedule, ScheduleCheck.Verdict verdict) {
        var wish = "every %s, %d kept of each of %d"
                .formatted(DurationText.of(schedule.every()), schedule.keep(), schedule.volumes());
        out.println("%-10s  %s: %s"
                .formatted(verdict.possible() ? "possible" : "impossible", verdict.snapshotClass(), wish));
        for (var obstacle : verdict.obstacles()) {
            out.println("            %s; nearest: %s".formatted(obstacle.what(), obstacle.nearest()));
            out.println("            %s".formatted(obstacle.limit().source()));
        }
    }

    @Command(
            name = "cost",
            description = {
                "Estimates what a schedule would cost a month, once it keeps all it is to keep; asks nobody but, with"
                        + " --link, the site. An estimate: each interval is taken to change other blocks than the one"
                        + " before; discounts, minimum terms and taxes are not known.",
                "Prices: config/prices.yaml, to be edited; what has none there is named and not counted."
            })
    int cost(
            @Mixin SiteOptions site,
            @Mixin ScheduleOptions asked,
            @Option(
                            names = "--used",
                            paramLabel = "SIZE",
                            required = true,
                            converter = Units.SizeConverter.class,
                            description = "What each volume holds.")
                    Units.Size used,
            @Option(
                            names = "--changed",
                            paramLabel = "SIZE",
                            converter = Units.SizeConverter.class,
                            description = "What of each volume changes between two snapshots.")
                    Units.@Nullable Size changed,
            @Option(
                            names = "--link",
                            paramLabel = "LINK",
                            description = "Measures what changes in what this link has sent, instead of --changed.")
                    @Nullable
                    String link,
            @Option(
                            names = "--copies",
                            paramLabel = "N",
                            defaultValue = "0",
                            description = "Other regions into which each snapshot is copied; default 0.")
                    int copies,
            @Option(names = "--read-out", description = "A link reads the changes out of the cloud.") boolean readOut,
            @Option(names = "--written-in", description = "A link writes them into the cloud.") boolean writtenIn,
            @Option(
                            names = "--prices",
                            paramLabel = "FILE",
                            defaultValue = "${sys:tidemark.home:-.}/config/prices.yaml",
                            description = "Default: config/prices.yaml.")
                    Path prices)
            throws ClientException {
        if ((changed == null) == (link == null)) {
            throw new ParameterException(site.spec().commandLine(), "give one of --changed and --link");
        }
        try {
            var schedule = asked.schedule();
            var kind =
                    limits.of(asked.provider, Optional.ofNullable(asked.config)).kind();
            var file = PriceFile.read(prices);
            var known = file.prices().get(kind);
            if (known == null) {
                throw new IllegalArgumentException("%s has no prices of %s; it has those of %s"
                        .formatted(prices, kind, file.prices().keySet()));
            }
            long changedBytes = changed == null ? measured(site, String.valueOf(link), schedule) : changed.bytes();
            var work = new CostEstimate.Workload(schedule, used.bytes(), changedBytes, copies, readOut, writtenIn);
            print(site.out(), work, CostEstimate.of(work, known), file.currency());
            return ExitCode.OK;
        } catch (IllegalArgumentException e) {
            throw new ParameterException(site.spec().commandLine(), e.getMessage(), e);
        }
    }

    /** What changed in one interval, from what the link has sent: what changed in all of it over the time between. */
    private static long measured(SiteOptions site, String link, SnapshotSchedule schedule) throws ClientException {
        var sent = site.client().list("/v1/operations?kind=sync&state=SUCCEEDED", MEASURED_MAXIMUM).stream()
                .filter(operation -> operation.at("subject").text().equals(link))
                .toList();
        return ChangeRate.of(sent)
                .map(rate -> rate.bytesIn(schedule.every()))
                .orElseThrow(() -> new IllegalArgumentException(
                        "link %s has not sent changes twice among the newest %d synchronisations: give --changed"
                                .formatted(link, MEASURED_MAXIMUM)));
    }

    private static void print(
            PrintWriter out, CostEstimate.Workload work, List<CostEstimate.Line> lines, String currency) {
        out.println("an estimate, a month: %s used and %s changed every %s, %d kept, %d volumes"
                .formatted(
                        Units.size(work.usedBytes()),
                        Units.size(work.changedBytes()),
                        DurationText.of(work.schedule().every()),
                        work.schedule().keep(),
                        work.schedule().volumes()));
        double sum = 0;
        for (var line : lines) {
            var amount = line.monthly().map(PolicyCommand::money).orElse("no price");
            out.println(String.format(
                    Locale.ROOT, "  %-24s %14.1f %-9s %12s", line.what(), line.quantity(), line.unit(), amount));
            sum += line.monthly().orElse(0.0);
        }
        boolean whole = lines.stream().allMatch(line -> line.monthly().isPresent());
        out.println(String.format(
                Locale.ROOT,
                "  %-24s %24s %12s %s",
                whole ? "in all" : "of what has a price",
                "",
                money(sum),
                currency));
    }

    private static String money(double amount) {
        return String.format(Locale.ROOT, "%.2f", amount);
    }
}
