package io.tidemark.consistency.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Frozen;
import io.tidemark.domain.QuiescerSpec;
import io.tidemark.spi.RecoveryPointId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CommandQuiescerTest {
    private static final RecoveryPointId POINT = new RecoveryPointId("rp-1");
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final Duration SOON = Duration.ofSeconds(20);

    @TempDir
    Path folder;

    private final Map<String, String> written = new HashMap<>();

    /** Each program appends its step to a file, so that order and number can be seen. */
    @BeforeEach
    void writePrograms() throws IOException {
        for (var step : List.of("freeze", "thaw")) {
            program(step, "");
        }
    }

    private void program(String step, String more) throws IOException {
        var file = folder.resolve(step);
        Files.writeString(
                file,
                "#!/bin/sh\necho %s \"$TIDEMARK_QUIESCER\" \"$TIDEMARK_RECOVERY_POINT\" \"$TIDEMARK_FREEZE_LIMIT_MILLIS\" >> %s/heard\n%s\n"
                        .formatted(step.equals("thaw") ? "thaw" : "$TIDEMARK_STEP", folder, more));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
        written.put(step + ".0", file.toString());
    }

    private CommandQuiescerFactory factory() throws ConsistencyException {
        return new CommandQuiescerFactory(
                Map.of("orders", CommandDefinition.of("orders", written)), folder.resolve("state"));
    }

    private Frozen frozen() throws ConsistencyException {
        return factory()
                .create(new QuiescerSpec("command", Map.of("name", "orders")))
                .freeze(POINT, LIMIT);
    }

    private List<String> heard() throws IOException {
        var file = folder.resolve("heard");
        return Files.exists(file)
                ? Files.readAllLines(file).stream()
                        .map(line -> line.split(" ", 2)[0])
                        .toList()
                : List.of();
    }

    private List<Path> journal() throws IOException {
        var held = folder.resolve("state/held-commands");
        if (!Files.exists(held)) {
            return List.of();
        }
        try (var files = Files.list(held)) {
            return files.toList();
        }
    }

    private static ProcessHandle keeper() {
        return ProcessHandle.current()
                .children()
                .filter(child -> child.info().commandLine().orElse("").contains("tidemark-keeper")
                        || child.info().command().orElse("").endsWith("bash"))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void nothingRunsBeforeTheHoldAndThawEndsIt() throws Exception {
        var frozen = frozen();
        assertThat(heard()).isEmpty();

        frozen.hold(LIMIT);

        assertThat(heard()).containsExactly("freeze");
        assertThat(journal()).hasSize(1);
        assertThat(frozen.heldUntilNow()).isTrue();
        var freeze = frozen.thaw().freezes().getFirst();
        assertThat(heard()).containsExactly("freeze", "thaw");
        assertThat(Files.readAllLines(folder.resolve("heard"))).allMatch(line -> line.endsWith(" orders rp-1 10000"));
        assertThat(freeze.heldUntilThaw()).isTrue();
        assertThat(freeze.facts()).containsEntry("holdingIsKnownBy", "the word of the freeze program alone");
        assertThat(frozen.thaw().freezes()).containsExactly(freeze);
        assertThat(journal()).isEmpty();
    }

    @Test
    void prepareRunsBeforeAnythingIsHeld() throws Exception {
        program("prepare", "");
        try (var frozen = frozen()) {
            assertThat(heard()).containsExactly("prepare");
            assertThat(frozen.thaw()).isEqualTo(Frozen.Release.NOTHING);
        }
        assertThat(heard()).containsExactly("prepare");
    }

    @Test
    void prepareThatFailsIsToldAndNothingIsFrozen() throws Exception {
        program("prepare", "echo disk full >&2; exit 3");

        assertThatThrownBy(this::frozen)
                .hasMessageContaining("prepare program failed: ended with exit status 3: disk full");
        assertThat(heard()).containsExactly("prepare");
    }

    @Test
    void freezeThatFailsIsThawedAndToldWithWhatItSaid() throws Exception {
        program("freeze", "echo no such database; exit 7");
        try (var frozen = frozen()) {
            assertThatThrownBy(() -> frozen.hold(LIMIT))
                    .hasMessageContaining("freeze program ended with exit status 7: no such database")
                    .hasMessageContaining("thaw program succeeded");
        }
        assertThat(heard()).containsExactly("freeze", "thaw");
        assertThat(journal()).isEmpty();
    }

    @Test
    void freezeThatTakesTooLongIsKilledWithItsChildrenBeforeTheThaw() throws Exception {
        program("freeze", "(sleep 2; echo late >> %s/heard) & sleep 60".formatted(folder));
        written.put("freezeTimeoutMillis", "500");
        try (var frozen = frozen()) {
            assertThatThrownBy(() -> frozen.hold(LIMIT))
                    .hasMessageContaining("was killed, it may take 500 ms")
                    .hasMessageNotContaining("line ");
        }
        Thread.sleep(2_500);

        assertThat(heard()).containsExactly("freeze", "thaw");
    }

    @Test
    void thawThatFailsIsTriedAgain() throws Exception {
        program("thaw", "[ $(grep -c thaw %s/heard) -ge 2 ]".formatted(folder));
        var frozen = frozen();
        frozen.hold(LIMIT);

        var facts = frozen.thaw().freezes().getFirst().facts();

        assertThat(heard()).containsExactly("freeze", "thaw", "thaw");
        assertThat(facts).doesNotContainKey("thawError");
        assertThat(journal()).isEmpty();
    }

    @Test
    void thawThatFailsEveryTimeIsToldAndTheNextStartTriesAgain() throws Exception {
        program("thaw", "exit 9");
        written.put("thawAttempts", "2");
        var frozen = frozen();
        frozen.hold(LIMIT);

        var facts = frozen.thaw().freezes().getFirst().facts();

        assertThat(facts.get("thawError")).contains("failed 2 times").contains("exit status 9");
        assertThat(journal()).hasSize(1);
        program("thaw", "");
        factory().sweep();
        assertThat(heard()).containsExactly("freeze", "thaw", "thaw", "thaw");
        assertThat(journal()).isEmpty();
    }

    @Test
    void limitThawsByItselfAndIsNoHold() throws Exception {
        written.put("freezeTimeoutMillis", "100");
        var frozen = frozen();
        frozen.hold(Duration.ofMillis(600));

        await().atMost(SOON).until(() -> heard().contains("thaw"));

        assertThat(frozen.heldUntilNow()).isFalse();
        assertThat(frozen.thaw().freezes().getFirst().heldUntilThaw()).isFalse();
        assertThat(heard()).containsExactly("freeze", "thaw");
    }

    @Test
    void killedKeeperIsNoHoldAndIsReplaced() throws Exception {
        var frozen = frozen();
        frozen.hold(LIMIT);
        keeper().destroyForcibly();
        await().atMost(SOON).until(() -> !frozen.heldUntilNow());

        var freeze = frozen.thaw().freezes().getFirst();

        assertThat(freeze.heldUntilThaw()).isFalse();
        assertThat(heard()).containsExactly("freeze", "thaw");
        assertThat(journal()).isEmpty();
    }

    @Test
    void freezeWhoseKeeperDiesIsAwaitedToItsLimitBeforeTheThaw() throws Exception {
        program("freeze", "touch %1$s/began; sleep 7; echo frozen >> %1$s/heard".formatted(folder));
        written.put("freezeTimeoutMillis", "9000");
        try (var frozen = frozen()) {
            Thread.ofVirtual().start(() -> {
                await().atMost(SOON).until(() -> Files.exists(folder.resolve("began")));
                keeper().destroyForcibly();
            });

            assertThatThrownBy(() -> frozen.hold(Duration.ofSeconds(20))).hasMessageContaining("lost sight of");
        }
        assertThat(heard()).containsExactly("freeze", "frozen", "thaw");
        assertThat(journal()).isEmpty();
    }

    @Test
    void interruptedHoldIsThawedAllTheSame() throws Exception {
        program("freeze", "touch %s/began; sleep 1".formatted(folder));
        var test = Thread.currentThread();
        try (var frozen = frozen()) {
            Thread.ofVirtual().start(() -> {
                await().atMost(SOON).until(() -> Files.exists(folder.resolve("began")));
                test.interrupt();
            });

            assertThatThrownBy(() -> frozen.hold(LIMIT)).hasMessageContaining("lost sight of");
            assertThat(Thread.interrupted()).isTrue();
        }
        assertThat(heard().getLast()).isEqualTo("thaw");
        assertThat(journal()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"exit 0,true", "exit 1,false", "sleep 60,false"})
    void checkProgramTellsWhetherItHeld(String script, boolean expected) throws Exception {
        program("check", script);
        written.put("checkTimeoutMillis", "500");
        var frozen = frozen();
        frozen.hold(LIMIT);

        assertThat(frozen.heldUntilNow()).isEqualTo(expected);
        var facts = frozen.thaw().freezes().getFirst().facts();
        assertThat(facts).containsEntry("holdingIsKnownBy", "the check program");
        assertThat(facts.containsKey("checkError")).isNotEqualTo(expected);
    }

    @Test
    void muchOutputIsBoundedAndHoldsNothingUp() throws Exception {
        program("freeze", "head -c 1000000 /dev/zero | tr '\\0' x");
        var frozen = frozen();
        frozen.hold(LIMIT);

        assertThat(frozen.thaw().evidence().get("command_output")).hasSize(ThawKeeper.OUTPUT_BYTES_MAXIMUM);
    }

    @Test
    void entryOfACommandThatIsNoLongerNamedStays() throws Exception {
        new HeldJournal(folder.resolve("state/held-commands")).write(POINT, "gone");

        factory().sweep();

        assertThat(journal()).hasSize(1);
        assertThat(heard()).isEmpty();
    }

    @Test
    void unfinishedEntryRunsNothing() throws Exception {
        var file = new HeldJournal(folder.resolve("state/held-commands")).write(POINT, "orders");
        Files.move(file, file.resolveSibling("unfinished.new"));

        factory().sweep();

        assertThat(journal()).isEmpty();
        assertThat(heard()).isEmpty();
    }

    @Test
    void damagedEntryIsKeptForSomebodyMayBeHeld() throws Exception {
        var file = new HeldJournal(folder.resolve("state/held-commands")).write(POINT, "orders");
        Files.writeString(file, Files.readString(file).substring(0, 40));

        factory().sweep();

        assertThat(journal()).hasSize(1);
        assertThat(heard()).isEmpty();
    }

    @Test
    void oneThawEndsAllThatWasLeft() throws Exception {
        var left = new HeldJournal(folder.resolve("state/held-commands"));
        left.write(POINT, "orders");
        left.write(POINT, "orders");

        factory().sweep();

        assertThat(heard()).containsExactly("thaw");
        assertThat(journal()).isEmpty();
    }

    @Test
    void whatMayStillBeHeldIsThawedFirstOrRefused() throws Exception {
        new HeldJournal(folder.resolve("state/held-commands")).write(POINT, "orders");
        program("thaw", "exit 9");

        assertThatThrownBy(this::frozen).hasMessageContaining("may still be held by an earlier recovery point");
        assertThat(journal()).hasSize(1);

        program("thaw", "");
        frozen().close();
        assertThat(journal()).isEmpty();
    }

    @Test
    void environmentHoldsNothingElse() throws Exception {
        program("freeze", "env > %s/environment".formatted(folder));
        var frozen = frozen();
        frozen.hold(LIMIT);
        frozen.close();

        assertThat(Files.readAllLines(folder.resolve("environment")).stream()
                        .map(line -> line.split("=", 2)[0])
                        .filter(name -> !List.of("PWD", "SHLVL", "_").contains(name)))
                .containsExactlyInAnyOrder(
                        "PATH",
                        "LC_ALL",
                        "TIDEMARK_QUIESCER",
                        "TIDEMARK_RECOVERY_POINT",
                        "TIDEMARK_FREEZE_LIMIT_MILLIS",
                        "TIDEMARK_STEP");
    }

    @Test
    void groupCanNameADefinitionOnly() throws Exception {
        var factory = factory();

        assertThatThrownBy(() -> factory.create(new QuiescerSpec("command", Map.of("freeze", "/bin/sh"))))
                .hasMessageContaining("setting freeze of quiescer command is not known");
        assertThatThrownBy(() -> factory.create(new QuiescerSpec("command", Map.of("name", "other"))))
                .hasMessageContaining("not in quiescers.commands of this host's configuration; there are orders");
        assertThatThrownBy(() -> factory.create(new QuiescerSpec("command", Map.of())))
                .hasMessageContaining("name of quiescer command is missing");
    }

    @Test
    void programThatIsNotThereIsNamedBeforeAnythingRuns() throws Exception {
        written.put("check.0", "/nowhere/check");
        var quiescer = factory().create(new QuiescerSpec("command", Map.of("name", "orders")));

        assertThatThrownBy(() -> quiescer.check(List.of())).hasMessageContaining("program /nowhere/check is not there");
    }

    @Test
    void checkWarnsOfWhatNobodyProves() throws Exception {
        var quiescer = factory().create(new QuiescerSpec("command", Map.of("name", "orders")));

        assertThat(quiescer.check(List.of()).warnings())
                .anyMatch(warning -> warning.contains("lies on the volumes"))
                .anyMatch(warning -> warning.contains("has no check program"));
        assertThat(heard()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "freeze.0,freeze,absolute",
        "freeze,/bin/true,expected a list",
        "freeze.2,x,lacks entry 2",
        "thawAttempts,1,2 to 100",
        "thawTimeoutMillis,99,100 to 600000",
        "frieze.0,/bin/true,not known",
    })
    void badDefinitionIsRefusedByName(String name, String value, String expected) {
        written.put(name, value);

        assertThatThrownBy(() -> CommandDefinition.of("orders", written)).hasMessageContaining(expected);
    }

    @Test
    void definitionNeedsBothPrograms() {
        assertThatThrownBy(() -> CommandDefinition.of("orders", Map.of("freeze.0", "/bin/true")))
                .hasMessageContaining("setting thaw of quiescer command is missing");
    }
}
