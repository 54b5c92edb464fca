package io.tidemark.consistency.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Frozen;
import io.tidemark.consistency.Quiescer;
import io.tidemark.domain.QuiescerSpec;
import io.tidemark.spi.RecoveryPointId;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RedisQuiescerTest {
    private static final RecoveryPointId POINT = new RecoveryPointId("rp-1");
    private static final Duration LIMIT = Duration.ofSeconds(10);

    private ScriptedRedis server;

    @BeforeEach
    void startServer() throws IOException {
        server = new ScriptedRedis();
    }

    @AfterEach
    void stopServer() throws IOException {
        server.close();
    }

    private Quiescer quiescer(String... namesAndValues) throws ConsistencyException {
        var settings = new HashMap<String, String>();
        settings.put("port", Integer.toString(server.port()));
        settings.put("answerTimeoutMillis", "1000");
        for (int index = 0; index < namesAndValues.length; index += 2) {
            settings.put(namesAndValues[index], namesAndValues[index + 1]);
        }
        return new RedisQuiescerFactory().create(new QuiescerSpec("redis", settings));
    }

    private Frozen held(String... settings) throws ConsistencyException {
        var frozen = quiescer(settings).freeze(POINT, LIMIT);
        frozen.hold(LIMIT);
        return frozen;
    }

    @Test
    void holdPausesWritersForTheLimitAndThawLetsThemGo() throws ConsistencyException {
        var frozen = held();

        assertThat(frozen.heldUntilNow()).isTrue();
        var freeze = frozen.thaw().freezes().getFirst();

        assertThat(server.heard())
                .containsExactly("CLIENT PAUSE 0 WRITE", "CLIENT PAUSE 10000 WRITE", "CLIENT UNPAUSE");
        assertThat(freeze.heldUntilThaw()).isTrue();
        assertThat(freeze.subject()).isEqualTo("127.0.0.1:" + server.port());
        assertThat(freeze.acknowledgedNanos()).isGreaterThan(freeze.requestedNanos());
        assertThat(freeze.facts())
                .containsEntry("version", "7.0.15")
                .containsEntry("runId", "one")
                .containsEntry("appendfsync", "everysec")
                .containsEntry("replicationOffset", "4711");
    }

    @Test
    void holdWaitsUntilWhatWasAcknowledgedIsWritten() throws ConsistencyException {
        server.says("aof_buffer_length", "512");
        var rounds = new int[1];
        server.upon("INFO persistence", () -> {
            if (++rounds[0] == 4) {
                server.says("aof_buffer_length", "0");
            }
        });

        try (var frozen = held()) {
            assertThat(frozen.heldUntilNow()).isTrue();
        }

        assertThat(rounds[0]).isGreaterThanOrEqualTo(4);
    }

    @Test
    void fileThatIsNotWrittenWithinHalfTheLimitReleasesTheWriters() throws ConsistencyException {
        server.says("aof_buffer_length", "512");
        var limit = Duration.ofMillis(400);
        try (var frozen = quiescer().freeze(POINT, limit)) {
            assertThatThrownBy(() -> frozen.hold(limit))
                    .hasMessageContaining("append-only file was not written within 200 ms");

            assertThat(server.heard().getLast()).isEqualTo("CLIENT UNPAUSE");
            assertThat(frozen.thaw()).isEqualTo(Frozen.Release.NOTHING);
        }
    }

    @ParameterizedTest
    @CsvSource({"aof_current_size,101", "run_id,two", "aof_enabled,0", "role,slave", "aof_buffer_length,1"})
    void whatChangesWhileHeldIsNoHold(String name, String value) throws ConsistencyException {
        try (var frozen = held()) {
            server.says(name, value).says("rdb_changes_since_last_save", "8");

            assertThat(frozen.heldUntilNow()).isFalse();
        }
    }

    @Test
    void rewriteThatEndsMeanwhileIsNoWrite() throws ConsistencyException {
        try (var frozen = held()) {
            server.says("aof_current_size", "40");

            assertThat(frozen.heldUntilNow()).isTrue();
        }
    }

    @Test
    void pauseThatIsOverHasNotHeld() throws Exception {
        var limit = Duration.ofMillis(300);
        try (var frozen = quiescer().freeze(POINT, limit)) {
            frozen.hold(limit);
            Thread.sleep(limit.toMillis());

            assertThat(frozen.heldUntilNow()).isFalse();
        }
    }

    @Test
    void lostConnectionHasNotHeldAndWritersAreReleasedOnAnother() throws ConsistencyException {
        var frozen = held();
        server.dropConnections();

        assertThat(frozen.heldUntilNow()).isFalse();
        var facts = frozen.thaw().freezes().getFirst().facts();

        assertThat(server.heard().getLast()).isEqualTo("CLIENT UNPAUSE");
        assertThat(facts).doesNotContainKey("unpauseError");
    }

    @Test
    void serverThatIsGoneAtTheThawIsToldInTheFacts() throws Exception {
        var frozen = held();
        server.close();

        assertThat(frozen.thaw().freezes().getFirst().facts().get("unpauseError"))
                .contains("the pause ends at the freeze limit");
    }

    @Test
    void silentServerIsGivenUpAndItsLateAnswerTakenForNoOther() throws ConsistencyException {
        try (var frozen = quiescer().freeze(POINT, LIMIT)) {
            server.upon("CLIENT PAUSE 10000", () -> sleep(1_500));

            assertThatThrownBy(() -> frozen.hold(LIMIT)).hasMessageContaining("timed out");
            assertThat(frozen.heldUntilNow()).isFalse();
        }
        assertThat(server.heard().getLast()).isEqualTo("CLIENT UNPAUSE");
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "redis_version | 6.0.16 | server is Redis 6.0.16, supported are 6.2 to 8",
                "redis_version | 9.0.0 | supported are 6.2 to 8",
                "redis_version | new | supported are 6.2 to 8",
                "role | slave | take its master",
                "loading | 1 | loading its data",
                "aof_enabled | 0 | withoutAppendOnlyFile=holdForSave",
                "aof_last_write_status | err | failed at writing its append-only file",
                "aof_last_bgrewrite_status | err | failed at rewriting its append-only file",
            })
    void unfitServerIsRefusedBeforeAnybodyIsHeld(String name, String value, String expected) throws Exception {
        server.says(name, value);
        var quiescer = quiescer();

        assertThatThrownBy(() -> quiescer.check(List.of())).hasMessageContaining(expected);
        assertThatThrownBy(() -> quiescer.freeze(POINT, LIMIT)).hasMessageContaining(expected);
        assertThat(server.heard()).isEmpty();
    }

    @Test
    void userWithoutTheRightIsRefusedByTheServersWords() throws ConsistencyException {
        server.refuses("CLIENT PAUSE", "NOPERM this user has no permissions to run the 'client|pause' command");
        var quiescer = quiescer();

        assertThatThrownBy(() -> quiescer.check(List.of())).hasMessageContaining("client|pause");
        assertThatThrownBy(() -> quiescer.freeze(POINT, LIMIT)).hasMessageContaining("client|pause");
    }

    @Test
    void hiddenFolderIsAWarning() throws ConsistencyException {
        server.refuses("CONFIG", "NOPERM no");

        assertThat(quiescer().check(List.of()).warnings()).anyMatch(warning -> warning.contains("allow config|get"));
    }

    @Test
    void rewriteUnderWayIsAwaitedForItsLimit() throws ConsistencyException {
        server.says("aof_rewrite_in_progress", "1");
        var quiescer = quiescer("saveTimeoutMillis", "100");

        assertThatThrownBy(() -> quiescer.freeze(POINT, LIMIT))
                .hasMessageContaining("within 100 ms (saveTimeoutMillis)");
    }

    @Test
    void withoutAppendOnlyFileWritersAreHeldUntilTheirSaveIsDone() throws ConsistencyException {
        server.says("aof_enabled", "0");
        server.upon("BGSAVE", () -> server.says("rdb_changes_since_last_save", "0"));

        var frozen = held("withoutAppendOnlyFile", "holdForSave");

        assertThat(frozen.heldUntilNow()).isTrue();
        assertThat(frozen.thaw().freezes().getFirst().facts()).containsEntry("appendOnlyFile", "off");
        assertThat(server.heard())
                .containsExactly("CLIENT PAUSE 0 WRITE", "CLIENT PAUSE 10000 WRITE", "BGSAVE", "CLIENT UNPAUSE");
    }

    @ParameterizedTest
    @CsvSource({"rdb_last_bgsave_status,err", "rdb_changes_since_last_save,3"})
    void saveThatFailedReleasesTheWriters(String name, String value) throws ConsistencyException {
        server.says("aof_enabled", "0");
        server.upon(
                "BGSAVE", () -> server.says("rdb_changes_since_last_save", "0").says(name, value));
        try (var frozen = quiescer("withoutAppendOnlyFile", "holdForSave").freeze(POINT, LIMIT)) {
            assertThatThrownBy(() -> frozen.hold(LIMIT)).hasMessageContaining("the save failed");
        }

        assertThat(server.heard().getLast()).isEqualTo("CLIENT UNPAUSE");
    }

    @Test
    void saveThatTookLongerThanMayBeHeldIsRefusedBeforeAnybodyIsHeld() throws ConsistencyException {
        server.says("aof_enabled", "0").says("rdb_last_bgsave_time_sec", "6");
        var quiescer = quiescer("withoutAppendOnlyFile", "holdForSave");

        assertThatThrownBy(() -> quiescer.freeze(POINT, LIMIT)).hasMessageContaining("its last save took 6 s");
    }

    @Test
    void passwordComesFromTheFileAndIsInNoMessage(@TempDir Path folder) throws Exception {
        var file = Files.writeString(folder.resolve("password"), "secret\n");
        server.refuses("AUTH", "WRONGPASS invalid username-password pair or user is disabled.");
        var quiescer = quiescer("passwordFile", file.toString(), "user", "tidemark");

        assertThatThrownBy(() -> quiescer.check(List.of()))
                .hasMessageContaining("WRONGPASS")
                .hasMessageNotContaining("secret");
        assertThat(server.heard()).containsExactly("AUTH tidemark secret");
    }

    @Test
    void passwordThatTheServerRepeatsIsInNoMessage(@TempDir Path folder) throws Exception {
        var file = Files.writeString(folder.resolve("password"), "secret\n");
        server.refuses("AUTH", "ERR unknown command 'AUTH', with args beginning with: 'tidemark' 'secret'");
        var quiescer = quiescer("passwordFile", file.toString(), "user", "tidemark");

        assertThatThrownBy(() -> quiescer.check(List.of()))
                .hasMessageContaining("'***'")
                .hasMessageNotContaining("secret")
                .hasStackTraceContaining("unknown command")
                .satisfies(thrown -> assertThat(org.assertj.core.util.Throwables.getStackTrace(thrown))
                        .doesNotContain("secret"));
    }

    @Test
    void absentServerIsNamed() throws Exception {
        int port;
        try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        var quiescer = quiescer("port", Integer.toString(port));

        assertThatThrownBy(() -> quiescer.check(List.of()))
                .hasMessageContaining("redis 127.0.0.1:" + port)
                .hasMessageContaining("refused");
    }

    @ParameterizedTest
    @CsvSource({
        "port,0,1 to 65535",
        "socket,run,absolute",
        "caFile,/ca.pem,needs tls",
        "user,tidemark,needs passwordFile",
        "tls,yes,'on, off'",
        "withoutAppendOnlyFile,yes,holdForSave",
        "saveTimeoutMillis,99,100 to 600000",
        "password,secret,not known",
    })
    void badSettingIsRefusedByName(String name, String value, String expected) {
        assertThatThrownBy(() -> new RedisQuiescerFactory().create(new QuiescerSpec("redis", Map.of(name, value))))
                .hasMessageContaining("setting " + name)
                .hasMessageContaining(expected);
    }

    @ParameterizedTest
    @CsvSource({"127.0.0.1,false", "localhost,false", "::1,false", "192.0.2.7,true", "redis.example,true"})
    void passwordGoesToNoOtherHostInTheClearUnlessToldTo(String host, boolean tls) throws Exception {
        assertThat(RedisSettings.of(new QuiescerSpec("redis", Map.of("host", host)))
                        .tls())
                .isEqualTo(tls);
        assertThat(RedisSettings.of(new QuiescerSpec("redis", Map.of("host", host, "tls", "off")))
                        .tls())
                .isFalse();
    }
}
