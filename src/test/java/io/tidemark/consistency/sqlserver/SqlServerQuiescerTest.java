package io.tidemark.consistency.sqlserver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Frozen;
import io.tidemark.domain.QuiescerSpec;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tested against a fake at the level of JDBC, {@link FakeSqlServer}: no real server was to be had. */
class SqlServerQuiescerTest extends SqlServerGround {
    private static String restored(Frozen.Release release) throws Exception {
        try (var in = new GZIPInputStream(new ByteArrayInputStream(
                Base64.getDecoder().decode(release.evidence().getOrDefault(MetadataFile.EVIDENCE, ""))))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void freezeHoldsNobodyAndHoldSuspendsAllDatabasesTogetherUntilTheThaw() throws Exception {
        try (var frozen = quiescer().freeze(POINT, LIMIT)) {
            assertNobodyHeld();

            frozen.hold(LIMIT);
            assertThat(server.holdsWriters("orders")).isTrue();
            assertThat(server.holdsWriters("it's]odd")).isTrue();
            assertThat(frozen.heldUntilNow()).isTrue();

            var release = frozen.thaw();
            assertNobodyHeld();
            var freeze = release.freezes().getFirst();
            assertThat(freeze.heldUntilThaw()).isTrue();
            assertThat(freeze.kind()).isEqualTo("sqlserver");
            assertThat(freeze.subject()).isEqualTo("127.0.0.1:1433");
            assertThat(freeze.acknowledgedNanos()).isGreaterThan(freeze.requestedNanos());
            assertThat(freeze.facts())
                    .containsEntry("databases", "it's]odd, orders")
                    .containsKey("metadataFile");
            assertThat(restored(release)).isEqualTo("metadata of [it's]odd, orders]");
            assertThat(server.heard(
                            "SUSPEND_FOR_SNAPSHOT_BACKUP = ON (GROUP = ([it's]]odd], [orders]), MODE = COPY_ONLY)"))
                    .isTrue();
            assertThat(server.sessions()).isZero();
        }
    }

    @Test
    void oneDatabaseIsSuspendedAloneAndByModeFullBecomesTheBaseOfDifferentials() throws ConsistencyException {
        try (var frozen = held(LIMIT, "databases", "orders", "backupMode", "full")) {
            assertThat(server.holdsWriters("it's]odd")).isFalse();
            assertThat(server.heard("ALTER DATABASE [orders] SET SUSPEND_FOR_SNAPSHOT_BACKUP = ON"))
                    .isTrue();
            assertThat(server.database("orders").copyOnly).isFalse();
            assertThat(frozen.heldUntilNow()).isTrue();
            assertThat(frozen.thaw().freezes().getFirst().heldUntilThaw()).isTrue();
            assertThat(server.database("orders").backedUp).isTrue();
        }
    }

    /** The record of a backup without a cut would be the base of differential backups that nobody could restore. */
    @Test
    void thawAfterACutThatFailedResumesWithoutABackup() throws ConsistencyException {
        var frozen = held(LIMIT, "backupMode", "full");

        var freeze = frozen.thaw().freezes().getFirst();

        assertNobodyHeld();
        assertThat(server.database("orders").backedUp).isFalse();
        assertThat(freeze.heldUntilThaw()).isFalse();
        assertThat(server.sessions()).isZero();
    }

    @Test
    void metadataIsReadAndRemovedHereWhereTheServerIsOnThisHost() throws Exception {
        server.folders.add(folder.toString());
        var frozen = held(LIMIT, "metadataFolder", folder.toString());
        assertThat(frozen.heldUntilNow()).isTrue();

        var release = frozen.thaw();

        assertThat(restored(release)).startsWith("metadata of");
        assertThat(server.heard("OPENROWSET")).isFalse();
        try (var left = Files.list(folder)) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    void linkInPlaceOfTheMetadataIsNotFollowed() throws Exception {
        var secret = Files.writeString(folder.resolve("secret"), "of root");
        var link = folder.resolve("tidemark.bkm");
        Files.createSymbolicLink(link, secret);
        var facts = new HashMap<String, String>();

        try (var session =
                SqlServerSession.open(SqlServerSettings.of(new QuiescerSpec("sqlserver", Map.of())), server::connect)) {
            assertThat(new MetadataFile(link.toString(), true).take(session, facts))
                    .isEmpty();
        }

        assertThat(facts.get("metadata")).contains("left on the server");
        assertThat(secret).exists();
    }

    @Test
    void metadataThatCannotBeReadStaysAndIsNamed() throws ConsistencyException {
        server.fail("OPENROWSET", "You do not have permission to use the bulk load statement.", 4834);
        var frozen = held(LIMIT);
        assertThat(frozen.heldUntilNow()).isTrue();

        var release = frozen.thaw();

        assertThat(release.evidence()).isEmpty();
        assertThat(release.freezes().getFirst().heldUntilThaw()).isTrue();
        assertThat(release.freezes().getFirst().facts().get("metadataFile")).startsWith("/backups/tidemark-rp-1-");
        assertThat(release.freezes().getFirst().facts().get("metadata")).contains("restoring needs it", "4834");
    }

    @Test
    void metadataBackupThatFailsResumesAndHasNotHeld() throws ConsistencyException {
        server.fail("WITH METADATA_ONLY", "Cannot open backup device.", 3201);
        var frozen = held(LIMIT);
        assertThat(frozen.heldUntilNow()).isTrue();

        var freeze = frozen.thaw().freezes().getFirst();

        assertNobodyHeld();
        assertThat(server.heard).anyMatch(sql -> sql.startsWith("ALTER SERVER") && sql.contains("BACKUP = OFF (GROUP"));
        assertThat(freeze.heldUntilThaw()).isFalse();
        assertThat(freeze.facts().get("backupError")).contains("3201");
    }

    @Test
    void thawTwiceAnswersTheSameAndSaysNothingMore() throws ConsistencyException {
        var frozen = held(LIMIT);
        assertThat(frozen.heldUntilNow()).isTrue();
        var first = frozen.thaw();
        int heard = server.heard.size();

        assertThat(frozen.thaw()).isSameAs(first);

        assertThat(server.heard).hasSize(heard);
        assertThat(frozen.heldUntilNow()).isFalse();
    }

    @Test
    void thawWithoutAHoldHasNotHeldAndLeavesNoSession() throws ConsistencyException {
        var frozen = quiescer().freeze(POINT, LIMIT);

        assertThat(frozen.heldUntilNow()).isFalse();
        assertThat(frozen.thaw().freezes().getFirst().heldUntilThaw()).isFalse();
        assertThat(server.sessions()).isZero();
    }

    /** Nobody says a word after the hold: what a stopped service does. */
    @Test
    void serverItselfEndsASuspensionAtTheLimit() throws ConsistencyException {
        long started = System.nanoTime();
        var frozen = held(SHORT);
        assertThat(server.holdsWriters("orders")).isTrue();

        await().atMost(SHORT.multipliedBy(5)).until(() -> !server.holdsWriters("orders"));

        assertThat(System.nanoTime() - started).isGreaterThanOrEqualTo(SHORT.toNanos());
        assertThat(frozen.heldUntilNow()).isFalse();
        assertThat(frozen.thaw().freezes().getFirst().heldUntilThaw()).isFalse();
        assertThat(server.database("orders").backedUp).isFalse();
        assertThat(server.sessions()).isZero();
    }

    @Test
    void nothingIsSuspendedUntilTheServerIsSeenToKeepTheLimit() throws ConsistencyException {
        server.keepersNeverWait = true;
        try (var frozen = quiescer().freeze(POINT, SHORT)) {
            assertThatThrownBy(() -> frozen.hold(SHORT)).hasMessageContaining("did not begin to wait within 500 ms");

            assertThat(server.heard("SUSPEND_FOR_SNAPSHOT_BACKUP = ON")).isFalse();
        }
        assertThat(server.sessions()).isZero();
    }

    @Test
    void lockThatIsNotHadWithinHalfTheLimitLeavesNothingSuspended() throws ConsistencyException {
        server.database("orders").locked = true;
        try (var frozen = quiescer().freeze(POINT, SHORT)) {
            assertThatThrownBy(() -> frozen.hold(SHORT))
                    .hasMessageContaining("not suspended within 500 ms")
                    .hasMessageContaining("ALTER DATABASE of another session");

            // The other one of the group had been suspended by then.
            assertNobodyHeld();
            assertThat(frozen.thaw().freezes().getFirst().heldUntilThaw()).isFalse();
        }
        assertThat(server.sessions()).isZero();
    }

    @Test
    void sessionThatIsKilledBeforeTheHoldFailsTheFreeze() throws ConsistencyException {
        try (var frozen = quiescer().freeze(POINT, SHORT)) {
            server.killAll();

            assertThatThrownBy(() -> frozen.hold(SHORT)).isInstanceOf(ConsistencyException.class);
            assertNobodyHeld();
        }
    }

    @Test
    void sessionThatIsKilledWhileHeldHasNotHeld() throws ConsistencyException {
        var frozen = held(LIMIT);
        server.killAll();

        assertThat(frozen.heldUntilNow()).isFalse();
        assertThat(frozen.thaw().freezes().getFirst().heldUntilThaw()).isFalse();
        assertThat(server.database("orders").backedUp).isFalse();
    }

    @Test
    void sessionThatIsKilledAfterItVouchedHasNotHeld() throws ConsistencyException {
        var frozen = held(LIMIT);
        assertThat(frozen.heldUntilNow()).isTrue();
        server.killAll();

        var freeze = frozen.thaw().freezes().getFirst();

        assertThat(freeze.heldUntilThaw()).isFalse();
        assertThat(freeze.facts().get("backupError")).contains("Connection reset");
    }

    @Test
    void somebodyElsesResumeHasNotHeld() throws ConsistencyException {
        try (var frozen = held(LIMIT)) {
            server.resume("orders");

            assertThat(frozen.heldUntilNow()).isFalse();
        }
        assertNobodyHeld();
    }

    /** As long as ours has lasted, theirs has not. */
    @Test
    void resumedAndSuspendedAgainByTheSameSessionNumberHasNotHeld() throws Exception {
        try (var frozen = held(LIMIT)) {
            Thread.sleep(200);
            server.database("orders").suspendedNanos = System.nanoTime();

            assertThat(frozen.heldUntilNow()).isFalse();
        }
    }

    @Test
    void serverThatIsSilentAtTheThawLetsGoWithItsSessionAndHasNotHeld() throws ConsistencyException {
        server.silence("WITH METADATA_ONLY");
        var limit = Duration.ofSeconds(2);
        var frozen = held(limit);
        assertThat(frozen.heldUntilNow()).isTrue();

        var freeze = frozen.thaw().freezes().getFirst();

        assertThat(freeze.heldUntilThaw()).isFalse();
        assertThat(freeze.facts()).containsKey("backupError");
        assertNobodyHeld();
        assertThat(server.sessions()).isZero();
    }

    @Test
    void wrongPasswordIsToldWithoutIt() throws Exception {
        server.password = "right";
        var file = Files.writeString(folder.resolve("password"), "wrong-one\n");

        assertThatThrownBy(() -> quiescer("passwordFile", file.toString()).check(List.of()))
                .hasMessageContaining("Login failed for user 'tidemark'. (error 18456)")
                .hasMessageNotContaining("wrong-one");
    }

    @ParameterizedTest
    @CsvSource({
        "VIEW SERVER PERFORMANCE STATE,GRANT VIEW SERVER PERFORMANCE STATE",
        "ALTER ANY CONNECTION,GRANT ALTER ANY CONNECTION",
        "ALTER SETTINGS,several databases at once"
    })
    void missingRightIsNamedByThePlanAndTheFreeze(String right, String words) throws ConsistencyException {
        server.rights.remove(right);

        assertThatThrownBy(() -> quiescer().check(List.of())).hasMessageContaining(words);
        assertThatThrownBy(() -> quiescer().freeze(POINT, LIMIT)).hasMessageContaining(words);
        assertThat(server.sessions()).isZero();
    }

    @Test
    void optionalRightsAreWarnings() throws ConsistencyException {
        server.rights.removeAll(List.of("VIEW ANY DEFINITION", "ADMINISTER BULK OPERATIONS", "VIEW ANY DATABASE"));

        assertThat(quiescer().check(List.of()).warnings())
                .anySatisfy(text -> assertThat(text).contains("may not see are not held", "VIEW ANY DATABASE"))
                .anySatisfy(text -> assertThat(text).contains("files of database orders are hidden"))
                .anySatisfy(text -> assertThat(text).contains("can be read neither from here nor through the server"));
    }

    @Test
    void severalAreRefusedWhereTheServerMayLeaveSomeSuspended() throws ConsistencyException {
        server.build = 4_145;

        assertThatThrownBy(() -> quiescer().check(List.of()))
                .hasMessageContaining("16.0.4145.4", "KB5048510", "cumulative update 16");
        assertThatThrownBy(() -> quiescer().freeze(POINT, LIMIT)).hasMessageContaining("KB5048510");
        assertThat(quiescer("databases", "orders").check(List.of()).warnings()).noneMatch(text -> text.contains("KB"));
    }

    @Test
    void baseOfDifferentialBackupsThatMayGoIsAWarning() throws ConsistencyException {
        assertThat(quiescer("backupMode", "full").check(List.of()).warnings())
                .anySatisfy(text -> assertThat(text).contains("differential backups need this recovery point"));
    }

    @Test
    void oldServerAndCloudServiceAreRefused() {
        server.majorVersion = 15;
        assertThatThrownBy(() -> quiescer().check(List.of())).hasMessageContaining("supported are versions 16 (2022)");

        server.majorVersion = 16;
        server.engineEdition = 8;
        assertThatThrownBy(() -> quiescer().check(List.of())).hasMessageContaining("engine edition 8");
    }

    @Test
    void databasesThatCannotBeHeldAreNamed() throws ConsistencyException {
        server.database("orders").primary = false;
        assertThatThrownBy(() -> quiescer().check(List.of())).hasMessageContaining("orders is a secondary replica");

        server.database("orders").primary = true;
        server.database("orders").state = "RESTORING";
        assertThatThrownBy(() -> quiescer().check(List.of()))
                .hasMessageContaining("orders is RESTORING and not ONLINE");

        server.database("orders").state = "ONLINE";
        server.database("orders").mayBackUp = false;
        assertThatThrownBy(() -> quiescer().check(List.of())).hasMessageContaining("db_backupoperator");

        assertThatThrownBy(() -> quiescer("databases", "absent").check(List.of()))
                .hasMessageContaining("database absent is not there; there are it's]odd, orders");
    }

    @Test
    void databaseThatNothingWritesToIsLeftOutWithAWarning() throws ConsistencyException {
        server.database("orders").readOnly = true;

        assertThat(quiescer().check(List.of()).warnings())
                .anySatisfy(text -> assertThat(text).contains("orders is READ_ONLY"));
        try (var frozen = held(LIMIT)) {
            assertThat(server.holdsWriters("orders")).isFalse();
            assertThat(frozen.heldUntilNow()).isTrue();
        }
    }

    @Test
    void somebodyElsesSnapshotBackupIsNotTouched() {
        server.database("orders").suspendedBy = 51;

        assertThatThrownBy(() -> quiescer().check(List.of())).hasMessageContaining("somebody else's snapshot backup");
        assertThatThrownBy(() -> quiescer().freeze(POINT, LIMIT)).hasMessageContaining("somebody else's");
        assertThat(server.holdsWriters("orders")).isTrue();
    }

    @Test
    void fileOutsideTheVolumesIsRefusedByItsPath() throws Exception {
        var file = Files.createFile(folder.resolve("orders.mdf"));
        server.database("orders").paths.add(file.toString());

        assertThatThrownBy(() -> quiescer().check(List.of()))
                .hasMessageContaining("database orders's file " + file)
                .hasMessageContaining("lies on none of the group's volumes");
    }

    @Test
    void metadataFolderThatIsMissingIsRefused() {
        assertThatThrownBy(() -> quiescer("metadataFolder", "/absent").check(List.of()))
                .hasMessageContaining("folder /absent for the metadata backup does not exist");
        server.backupFolder = "";
        assertThatThrownBy(() -> quiescer().check(List.of())).hasMessageContaining("no default folder for backups");
    }

    @Test
    void checkSuspendsNothingAndLeavesNoSession() throws ConsistencyException {
        assertThat(quiescer().check(List.of()).warnings()).isNotEmpty();

        assertThat(server.heard("SUSPEND_FOR_SNAPSHOT_BACKUP")).isFalse();
        assertThat(server.sessions()).isZero();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "databases=a;;b",
                "databases=a;a",
                "sslMode=maybe",
                "trustStoreFile=/etc/trust.p12",
                "host=a b",
                "port=0",
                "backupMode=differential",
                "metadatafolder=/x",
                "passwordFile=relative"
            })
    void badSettingsAreRefused(String setting) {
        var pair = setting.split("=", 2);

        assertThatThrownBy(() -> quiescer(pair[0], pair[1]))
                .isInstanceOf(ConsistencyException.class)
                .hasMessageContaining("setting " + pair[0] + " of quiescer sqlserver");
    }

    @Test
    void anotherHostIsReachedByVerifiedTls() throws ConsistencyException {
        var settings = SqlServerSettings.of(new QuiescerSpec("sqlserver", Map.of("host", "192.0.2.1")));

        assertThat(settings.sslMode()).isEqualTo("verify-full");
        assertThat(SqlServerSettings.of(new QuiescerSpec("sqlserver", Map.of())).sslMode())
                .isEqualTo("disable");
    }
}
