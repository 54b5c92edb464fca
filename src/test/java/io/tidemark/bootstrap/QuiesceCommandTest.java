package io.tidemark.bootstrap;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class QuiesceCommandTest {
    private static final List<String> KINDS = List.of(
            "command", "mariadb", "mongodb", "mysql", "oracle", "postgresql", "redis", "sqlserver", "filesystem");

    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int typed(String... arguments) {
        return new CommandLine(new QuiesceCommand())
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments);
    }

    @Test
    void withoutAKindAllThereAreAreListed() {
        int exit = typed("explain");

        assertThat(exit).isZero();
        assertThat(out.toString().lines().map(line -> line.split(" ", 2)[0])).containsExactlyElementsOf(KINDS);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "command",
                "mariadb",
                "mongodb",
                "mysql",
                "oracle",
                "postgresql",
                "redis",
                "sqlserver",
                "filesystem"
            })
    void everyKindTellsStepsRightsSettingsAndFailures(String kind) {
        int exit = typed("explain", kind, "--json");

        assertThat(exit).isZero();
        var document = new JsonObject(out.toString());
        assertThat(document.getString("kind")).isEqualTo(kind);
        assertThat(document.getJsonArray("steps")).hasSizeGreaterThan(3);
        assertThat(document.getString("leastRights")).isNotBlank();
        assertThat(document.getJsonArray("settings")).isNotEmpty();
        assertThat(document.getJsonArray("failures")).isNotEmpty();
    }

    @Test
    void settingsAreShownWithTheirDefaultsAndUnits() {
        typed("explain", "postgresql");

        assertThat(out.toString())
                .contains("GRANT EXECUTE ON FUNCTION pg_backup_start(text, boolean) TO tidemark;")
                .containsPattern("statementTimeoutMillis +60000 ms +longest wait")
                .containsPattern("passwordFile +- +file whose first line");
    }

    @Test
    void settingsThatAreGivenAreShownAndChangeWhatIsDone() {
        typed("explain", "redis", "--set", "withoutAppendOnlyFile=holdForSave");

        assertThat(out.toString())
                .containsPattern("withoutAppendOnlyFile +holdForSave")
                .contains("BGSAVE is made under the pause");
    }

    @Test
    void settingsThatAPlanWouldRefuseAreRefused() {
        int exit = typed("explain", "postgresql", "--set", "password file=/x");

        assertThat(exit).isEqualTo(3);
        assertThat(err.toString())
                .contains("setting password file of quiescer postgresql is not known", "passwordFile");
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void unknownKindIsRefusedWithThoseThereAre() {
        int exit = typed("explain", "db2");

        assertThat(exit).isEqualTo(3);
        assertThat(err.toString())
                .contains(
                        "quiescer kind db2 is not known",
                        "command, mariadb, mongodb, mysql, oracle, postgresql, redis, sqlserver, filesystem");
    }

    @Test
    void settingsWithoutAKindOrWithoutAValueAreMisunderstood() {
        assertThat(typed("explain", "--set", "user=x")).isEqualTo(2);
        assertThat(typed("explain", "redis", "--set", "user")).isEqualTo(2);
        assertThat(typed("explain", "filesystem", "--set", "user=x")).isEqualTo(2);
        assertThat(err.toString())
                .contains("say which KIND", "'user' is not of the form NAME=VALUE", "file systems have no settings");
    }

    @Test
    void commandIsLookedUpInTheConfigurationThatIsNamed() throws Exception {
        var config = Files.writeString(folder.resolve("site.yaml"), """
                quiescers:
                  commands:
                    orders:
                      freeze: [/bin/hold]
                      thaw: [/bin/release]
                """).toString();

        assertThat(typed("explain", "command", "--set", "name=orders", "--config", config))
                .isZero();
        assertThat(typed("explain", "command", "--set", "name=absent", "--config", config))
                .isEqualTo(3);
        assertThat(err.toString()).contains("is absent, which is not in quiescers.commands", "there are orders");
    }

    /** A table of settings that a kind does not read, or lacks, would send its reader astray. */
    @Test
    void everySettingThatIsListedIsOneThatTheKindKnows() throws Exception {
        var quiescers = QuiescerLoading.load(Settings.load(java.util.Optional.empty(), List.of()));
        for (var kind : List.of("postgresql", "mariadb", "mysql", "mongodb", "redis", "sqlserver")) {
            var explained = quiescers.explain(new io.tidemark.domain.QuiescerSpec(kind, Map.of()));
            for (var setting : explained.settings()) {
                if (!setting.otherwise().isEmpty()) {
                    assertThat(quiescers.create(new io.tidemark.domain.QuiescerSpec(
                                    kind, Map.of(setting.name(), setting.otherwise()))))
                            .as("%s %s", kind, setting.name())
                            .isNotNull();
                }
            }
        }
    }
}
