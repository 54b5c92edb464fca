package io.tidemark.bootstrap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.agent.remote.AgentAbility;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SettingsTest {
    private static final Path CONFIG = Path.of("..", "config");

    @Test
    void theReferenceFileSetsEverySettingToItsDefault() throws Exception {
        var reader = new SettingsReader();
        reader.file(CONFIG.resolve("tidemark.yaml"));

        assertThat(reader.written().keySet())
                .containsExactlyInAnyOrderElementsOf(
                        Setting.ALL.stream().map(Setting::path).toList());
        for (var setting : Setting.ALL) {
            assertThat(reader.written().get(setting.path()))
                    .as(setting.path())
                    .extracting(SettingsReader.Written::value)
                    .isEqualTo(setting.fallback());
        }
    }

    @Test
    void everySettingIsExplainedAboveItInTheReference() throws Exception {
        var lines = Files.readAllLines(CONFIG.resolve("tidemark.yaml"));

        for (var setting : Setting.ALL) {
            String key = setting.path().substring(setting.path().lastIndexOf('.') + 1);
            assertThat(lines).as(setting.path()).anyMatch(line -> line.strip().startsWith(key + ":"));
        }
    }

    @Test
    void everyExampleIsAccepted() throws Exception {
        try (var examples = Files.list(CONFIG.resolve("examples"))) {
            for (var example : examples.toList()) {
                assertThat(Settings.load(Optional.of(example), List.of()).providers())
                        .as(example.toString())
                        .containsKey("image");
            }
        }
    }

    @Test
    void abilitiesOfAnAgentAreNamedAndAnotherNameIsRefusedWithThoseThereAre() throws Exception {
        var settings = Settings.load(Optional.empty(), List.of("agent.abilities=locks; copies"));

        assertThat(settings.agentRules().abilities())
                .containsExactlyInAnyOrder(AgentAbility.LOCKS, AgentAbility.COPIES);
        assertThatThrownBy(() -> Settings.load(Optional.empty(), List.of("agent.abilities=locks; lock")))
                .isInstanceOf(SettingsException.class)
                .hasMessageContainingAll("agent.abilities", "no ability is called lock", "locks, archives");
    }

    @Test
    void overridesWinOverTheFile() throws Exception {
        var settings = Settings.load(
                Optional.of(CONFIG.resolve("tidemark.yaml")), List.of("http.port=0", "http.requestTimeout=5s"));

        assertThat(settings.httpPort()).isZero();
        assertThat(settings.httpRequestTimeout()).isEqualTo(Duration.ofSeconds(5));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'http: {prot: 1}'|t.yaml:1: unknown setting http.prot, nearest is http.port",
                "'htp: {port: 1}'|t.yaml:1: unknown setting htp, nearest is",
                "'http: {port: eighty}'|t.yaml:1: http.port is eighty, expected a whole number",
                "'http: {port: 70000}'|http.port is 70000, allowed is 0 to 65535",
                "'http: {port: -1}'|http.port is -1, expected a whole number",
                "'http: {requestTimeout: 30}'|http.requestTimeout is 30, expected a time such as 500ms",
                "'http: {requestTimeout: 11m}'|http.requestTimeout is 11m, allowed is 100 to 600000 ms",
                "'http: {requestBytesMaximum: 1TiB}'|allowed is 1024 to 67108864 bytes",
                "'http: {requestBytesMaximum: 1MB}'|expected a size such as",
                "'http: {metricsOpen: yes}'|http.metricsOpen is yes, expected true or false",
                "'http: {tls: {keyFile: k.pem}}'|go together, only one is set",
                "'site: {name: Bad Name}'|site.name is Bad Name, allowed is",
                "'site: [a, b]'|t.yaml:1: unknown setting site",
                "'- 1'|t.yaml:1: expected settings",
                "'http: {port: 1, port: 2}'|duplicate key",
                "'http: ['|t.yaml:1: not YAML",
                "'replication: {rateLimit: fast}'|rate \"fast\" is not of the form 50MiB/s",
                "'replication: {rateLimit: 1KiB/s}'|rate is 1024 bytes a second, 65536 to",
                "'replication: {rateWindows: at night}'|is not of the form [mon-fri|sat,sun|daily]",
                "'replication: {rateWindows: \"mon 08:00-08:00=1MiB/s\"}'|a whole day is 00:00-24:00",
                "'replication: {rateWindows: \"mit 08:00-18:00=1MiB/s\"}'|is none of mon, tue, wed",
                "'replication: {pacing: true, paceFloor: 2GiB}'|pace floor is 2147483648 bytes a second, ceiling",
                "'replication: {paceFloor: 1KiB}'|allowed is 65536 to",
                "'operations: {concurrentMaximum: 0}'|allowed is 1 to 64",
                "'providers: {image: 3}'|providers.image needs settings of its own",
                "'quiescers: {commands: {orders: 3}}'|quiescers.commands.orders needs settings of its own",
                "'quiescers: {comands: {}}'|t.yaml:1: unknown setting quiescers.comands",
                "'quiescers: {commands: {orders: {freeze: [/f]}}}'|quiescers.commands.orders: setting thaw",
                "'quiescers: {commands: {orders: {freeze: [f], thaw: [/t]}}}'|t.yaml:1: quiescers.commands.orders: setting"
                        + " entry 1 of freeze is not an absolute path: f",
                "'quiescers: {commands: {orders: {freeze: [/f], thaw: [/t], freze: [/g]}}}'|t.yaml:1:"
                        + " quiescers.commands.orders: setting entry 1 of freze is not known",
                "'quiescers: {commands: {orders: {freeze: /f, thaw: [/t]}}}'|is one text, expected a list",
                "'quiescers: {commands: {Orders: {freeze: [/f], thaw: [/t]}}}'|quiescers.commands.Orders: setting name is Orders",
                "'http: {requestBytesMaximum: 99999999999999999GiB}'|expected a size such as",
            })
    void badConfigurationIsRefusedByNameLineAndLimit(String text, String message) {
        assertThatThrownBy(() -> Settings.parse(text, "t.yaml"))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining(message);
    }

    @Test
    void programsThatFreezeAreReadByTheirName() throws Exception {
        var settings = Settings.parse(
                "quiescers: {commands: {orders: {freeze: [/f, -a], thaw: [/t], thawAttempts: 5}}}", "t.yaml");

        assertThat(settings.commands()).containsOnlyKeys("orders");
        var orders = settings.commands().values().iterator().next();
        assertThat(orders.freeze()).containsExactly("/f", "-a");
        assertThat(orders.thaw()).containsExactly("/t");
        assertThat(orders.check()).isEmpty();
        assertThat(orders.thawAttempts()).isEqualTo(5);
    }

    @Test
    void aMissingFileIsNamed() {
        assertThatThrownBy(() -> Settings.load(Optional.of(Path.of("absent.yaml")), List.of()))
                .hasMessageContaining("absent.yaml does not exist");
    }

    @Test
    void anOverrideWithoutAnEqualsSignIsRefused() {
        assertThatThrownBy(() -> Settings.load(Optional.empty(), List.of("http.port")))
                .hasMessageContaining("expected key=value");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "- relative|t.yaml:5: providers.image: entry 2 of folders: not an absolute path: relative",
                "- /volumes/../volumes|t.yaml:5: providers.image: entry 2 of folders: named twice",
                "- ''|t.yaml:5: providers.image: entry 2 of folders: not a path",
                "changes: some|t.yaml:5: providers.image: changes is best, extents or full",
                "folder: [/a]|t.yaml:5: providers.image: unknown setting folder of provider image (entry 1 of folder)",
            })
    void entryOfAListIsRefusedByItsNumberAndLine(String line, String message) throws Exception {
        var indent = line.startsWith("-") ? "      " : "    ";
        var settings = Settings.parse(
                "providers:\n  image:\n    folders:\n      - /volumes\n%s%s\n".formatted(indent, line), "t.yaml");

        assertThatThrownBy(() -> ProviderLoading.load(settings))
                .isInstanceOf(SiteStartException.class)
                .hasMessageContaining(message)
                .hasMessageNotContaining(".0")
                .hasMessageNotContaining(".1");
    }

    @Test
    void providerWithoutWhatItNeedsIsNamedWithoutAPlace() throws Exception {
        var settings = Settings.parse("providers: {image: {changes: full}}", "t.yaml");

        assertThatThrownBy(() -> ProviderLoading.load(settings))
                .hasMessage("providers.image: folders needs 1 to 64 folders, not 0");
    }
}
