package io.tidemark.bootstrap;

import io.tidemark.agent.Paces;
import io.tidemark.agent.SentIndexes;
import io.tidemark.agent.TrackingTrust;
import io.tidemark.agent.remote.AgentAbility;
import io.tidemark.agent.remote.AgentRules;
import io.tidemark.bootstrap.SettingsReader.Written;
import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.command.CommandDefinition;
import io.tidemark.domain.RateLimits;
import io.tidemark.domain.RateWindow;
import io.tidemark.policy.PaceController;
import io.tidemark.replication.protocol.PeerAddress;
import io.tidemark.spi.BadSetting;
import io.tidemark.spi.DurationText;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The configuration, checked: every value is right or construction failed. */
public final class Settings {
    private static final Pattern AMOUNT = Pattern.compile("(\\d{1,15})\\s*([A-Za-z]*)");
    private static final Pattern SITE_NAME = Pattern.compile("[a-z0-9][a-z0-9-]{0,62}");

    private final Map<String, Written> written;
    private final Map<String, Map<String, String>> providers;
    private final Map<String, CommandDefinition> commands;
    private final Map<String, String> places;

    private Settings(SettingsReader reader) throws SettingsException {
        this.written = Map.copyOf(reader.written());
        this.providers = Map.copyOf(reader.providers());
        this.places = new LinkedHashMap<>(reader.places());
        this.commands = commands(reader.commands());
        for (var setting : Setting.ALL) {
            check(setting);
        }
        if (!SITE_NAME.matcher(siteName()).matches()) {
            throw new SettingsException("%s: site.name is %s, allowed is %s"
                    .formatted(placeOf("site.name"), siteName(), SITE_NAME.pattern()));
        }
        if (httpCertificateFile().isPresent() != httpKeyFile().isPresent()) {
            throw new SettingsException("http.tls.certificateFile and http.tls.keyFile go together, only one is set");
        }
        var exportsTls = List.of(
                text("exports.tls.certificateFile"),
                text("exports.tls.keyFile"),
                text("exports.tls.clientAuthorityFile"));
        if (exportsTls.stream().map(String::isEmpty).distinct().count() > 1) {
            throw new SettingsException(
                    "exports.tls.certificateFile, keyFile and clientAuthorityFile go together, only some are set");
        }
        for (var address : agentControllers()) {
            try {
                PeerAddress.parse(address);
            } catch (IllegalArgumentException e) {
                throw new SettingsException(
                        "%s: agent.controllers: %s".formatted(placeOf("agent.controllers"), e.getMessage()));
            }
        }
        try {
            agentRules();
        } catch (IllegalArgumentException e) {
            throw new SettingsException(
                    "%s: agent.abilities: %s".formatted(placeOf("agent.abilities"), e.getMessage()));
        }
        try {
            hostLimits();
        } catch (IllegalArgumentException e) {
            throw new SettingsException("%s: replication.rateLimit, rateWindows, paceFloor, paceCeiling: %s"
                    .formatted(placeOf("replication.rateLimit"), e.getMessage()));
        }
    }

    /**
     * @param file absent: defaults alone
     * @param overrides {@code key=value}, the last of a key wins
     */
    public static Settings load(Optional<Path> file, List<String> overrides) throws SettingsException {
        var reader = new SettingsReader();
        if (file.isPresent()) {
            reader.file(file.get());
        }
        for (var override : overrides) {
            reader.override(override);
        }
        return new Settings(reader);
    }

    static Settings parse(String text, String name) throws SettingsException {
        var reader = new SettingsReader();
        reader.text(text, name);
        return new Settings(reader);
    }

    public String siteName() {
        return text("site.name");
    }

    public Path stateFolder() {
        return Path.of(text("state.folder")).toAbsolutePath().normalize();
    }

    public String httpHost() {
        return text("http.host");
    }

    public int httpPort() {
        return (int) amount("http.port");
    }

    public Optional<Path> httpCertificateFile() {
        return path("http.tls.certificateFile");
    }

    public Optional<Path> httpKeyFile() {
        return path("http.tls.keyFile");
    }

    public long httpRequestBytesMaximum() {
        return amount("http.requestBytesMaximum");
    }

    public Duration httpRequestTimeout() {
        return Duration.ofMillis(amount("http.requestTimeout"));
    }

    public boolean httpMetricsOpen() {
        return Boolean.parseBoolean(text("http.metricsOpen"));
    }

    public String replicationHost() {
        return text("replication.host");
    }

    public int replicationPort() {
        return (int) amount("replication.port");
    }

    public String replicationAdvertisedHost() {
        String host = text("replication.advertisedHost");
        return host.isEmpty() ? replicationHost() : host;
    }

    /** What the senders of this host keep to; checked when the settings were read. */
    public Paces.HostLimits hostLimits() {
        var windows = new ArrayList<RateWindow>();
        for (String window : text("replication.rateWindows").split(";", -1)) {
            if (!window.isBlank()) {
                windows.add(RateWindow.parse(window.strip()));
            }
        }
        var rates = new RateLimits(RateWindow.rate(text("replication.rateLimit")), windows);
        Optional<PaceController.Bounds> bounds = Boolean.parseBoolean(text("replication.pacing"))
                ? Optional.of(
                        new PaceController.Bounds(amount("replication.paceFloor"), amount("replication.paceCeiling")))
                : Optional.empty();
        return new Paces.HostLimits(rates, bounds);
    }

    public long replicationBytesInFlightMaximum() {
        return amount("replication.bytesInFlightMaximum");
    }

    public TrackingTrust.Effort trackingEffort() {
        var every = Duration.ofMillis(amount("replication.auditEvery"));
        return new TrackingTrust.Effort(
                (int) amount("replication.auditSamples"), every.isZero() ? Optional.empty() : Optional.of(every));
    }

    public SentIndexes.Limit sentIndexLimit() {
        return Boolean.parseBoolean(text("replication.blockIndexes"))
                ? new SentIndexes.Limit(amount("replication.blockIndexBytesMaximum"))
                : SentIndexes.Limit.NONE;
    }

    public Path exportsSocketFolder() {
        return path("exports.socketFolder")
                .map(folder -> folder.toAbsolutePath().normalize())
                .orElse(stateFolder().resolve("exports"));
    }

    public long exportsOverlayBytesMaximum() {
        return amount("exports.overlayBytesMaximum");
    }

    /** Empty: exports are served on the unix socket alone. */
    public String exportsHost() {
        return text("exports.host");
    }

    public int exportsPort() {
        return (int) amount("exports.port");
    }

    /** PEM files. */
    record ExportsTls(Path certificate, Path key, Path clientAuthority) {}

    Optional<ExportsTls> exportsTls() {
        return path("exports.tls.certificateFile")
                .map(certificate -> new ExportsTls(
                        certificate,
                        path("exports.tls.keyFile").orElseThrow(),
                        path("exports.tls.clientAuthorityFile").orElseThrow()));
    }

    public int operationsConcurrentMaximum() {
        return (int) amount("operations.concurrentMaximum");
    }

    public Duration operationsStopTimeout() {
        return Duration.ofMillis(amount("operations.stopTimeout"));
    }

    /** Role agent: {@code host:port} each; empty where the invitation's is to be used. */
    public List<String> agentControllers() {
        return list("agent.controllers");
    }

    /** Role agent: what the controller may do here. */
    public AgentRules agentRules() {
        return new AgentRules(
                list("agent.volumes"),
                Set.copyOf(list("agent.quiescers")),
                Path.of(text("agent.secrets")).toAbsolutePath().normalize(),
                Boolean.parseBoolean(text("agent.overwrite")),
                list("agent.abilities").stream().map(AgentAbility::named).collect(Collectors.toSet()));
    }

    private List<String> list(String path) {
        return Arrays.stream(text(path).split(";", -1))
                .map(String::strip)
                .filter(one -> !one.isEmpty())
                .toList();
    }

    /** Each provider's own section, flattened: {@code folders.0}. */
    public Map<String, Map<String, String>> providers() {
        return providers;
    }

    /**
     * Where a setting of a provider or of a command stands, before a message: {@code tidemark.yaml:12: }. Of a list as a
     * whole it is its first entry; of one that is not written nothing.
     *
     * @param path its whole path: {@code providers.image.folders.0}
     */
    String before(String path) {
        var place = places.get(path);
        if (place == null) {
            place = places.entrySet().stream()
                    .filter(entry -> entry.getKey().startsWith(path + "."))
                    .map(Map.Entry::getValue)
                    .findFirst()
                    .orElse("");
        }
        return place.isEmpty() ? "" : place + ": ";
    }

    /** The programs that groups may name as quiescers of kind {@code command}, by name. */
    public Map<String, CommandDefinition> commands() {
        return commands;
    }

    /** The jar of Oracle's JDBC driver, which its terms keep out of this distribution. */
    public Optional<Path> oracleDriver() {
        return path("quiescers.oracle.driver");
    }

    private Map<String, CommandDefinition> commands(Map<String, Map<String, String>> written) throws SettingsException {
        var commands = new LinkedHashMap<String, CommandDefinition>();
        for (var each : written.entrySet()) {
            try {
                commands.put(each.getKey(), CommandDefinition.of(each.getKey(), each.getValue()));
            } catch (ConsistencyException e) {
                throw refused("quiescers.commands." + each.getKey(), e);
            }
        }
        return Map.copyOf(commands);
    }

    private SettingsException refused(String command, ConsistencyException failure) {
        if (failure.error() instanceof ConsistencyError.BadQuiescerSetting bad) {
            return new SettingsException("%s%s: setting %s %s"
                    .formatted(
                            before(command + "." + bad.setting()),
                            command,
                            BadSetting.told(bad.setting()),
                            bad.reason()));
        }
        return new SettingsException("%s: %s".formatted(command, failure.getMessage()));
    }

    private void check(Setting setting) throws SettingsException {
        String value = text(setting.path());
        String place = placeOf(setting.path());
        switch (setting.kind()) {
            case TEXT, LIST -> {}
            case SWITCH -> {
                if (!value.equals("true") && !value.equals("false")) {
                    throw refused(place, setting, value);
                }
            }
            case NUMBER, BYTES, DURATION -> {
                Optional<Long> amount = parse(setting.kind(), value);
                if (amount.isEmpty()) {
                    throw refused(place, setting, value);
                }
                if (amount.get() < setting.minimum() || amount.get() > setting.maximum()) {
                    throw new SettingsException("%s: %s is %s, allowed is %d to %d %s"
                            .formatted(
                                    place,
                                    setting.path(),
                                    value,
                                    setting.minimum(),
                                    setting.maximum(),
                                    unit(setting.kind())));
                }
            }
        }
    }

    private static SettingsException refused(String place, Setting setting, String value) {
        return new SettingsException("%s: %s is %s, expected %s"
                .formatted(place, setting.path(), value, setting.kind().form()));
    }

    private static String unit(Setting.Kind kind) {
        return switch (kind) {
            case BYTES -> "bytes";
            case DURATION -> "ms";
            case TEXT, NUMBER, SWITCH, LIST -> "";
        };
    }

    private static Optional<Long> parse(Setting.Kind kind, String value) {
        if (kind == Setting.Kind.DURATION) {
            return DurationText.parse(value).map(Duration::toMillis);
        }
        var matcher = AMOUNT.matcher(value.trim());
        if (!matcher.matches()) {
            return Optional.empty();
        }
        long number = Long.parseLong(matcher.group(1));
        String unit = matcher.group(2).toLowerCase(Locale.ROOT);
        return factor(kind, unit)
                .filter(factor -> number <= Long.MAX_VALUE / factor)
                .map(factor -> number * factor);
    }

    private static Optional<Long> factor(Setting.Kind kind, String unit) {
        return switch (kind) {
            case NUMBER -> unit.isEmpty() ? Optional.of(1L) : Optional.empty();
            case BYTES ->
                switch (unit) {
                    case "", "b" -> Optional.of(1L);
                    case "kib" -> Optional.of(1L << 10);
                    case "mib" -> Optional.of(1L << 20);
                    case "gib" -> Optional.of(1L << 30);
                    case "tib" -> Optional.of(1L << 40);
                    default -> Optional.empty();
                };
            case DURATION, TEXT, SWITCH, LIST -> Optional.empty();
        };
    }

    private long amount(String path) {
        return parse(setting(path).kind(), text(path)).orElseThrow();
    }

    private Optional<Path> path(String path) {
        String text = text(path);
        return text.isEmpty() ? Optional.empty() : Optional.of(Path.of(text));
    }

    private String text(String path) {
        var value = written.get(path);
        return value == null ? setting(path).fallback() : value.value();
    }

    private String placeOf(String path) {
        var value = written.get(path);
        return value == null ? "default" : value.place();
    }

    private static Setting setting(String path) {
        return Setting.ALL.stream()
                .filter(setting -> setting.path().equals(path))
                .findFirst()
                .orElseThrow();
    }
}
