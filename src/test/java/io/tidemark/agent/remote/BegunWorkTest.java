package io.tidemark.agent.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.Handle;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.Step;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What an agent remembers of long work, and what it does not begin a second time. */
@Timeout(30)
class BegunWorkTest {
    private static final VolumeId ORDERS = new VolumeId("image:orders");
    private static final SnapshotId SNAPSHOT = new SnapshotId(ORDERS, new RecoveryPointId("rp-1"));
    private static final AgentCommand.Lasting ROLLBACK = new AgentCommand.RollBack(SNAPSHOT);
    private static final AgentCommand.Lasting CLONE =
            new AgentCommand.CloneSnapshot(new CloneRequest(SNAPSHOT, new VolumeId("image:made")));
    private static final Volume VOLUME = new Volume(ORDERS, 4096, Set.of(), Optional.empty(), List.of(), Map.of());
    private static final Step<Volume> DONE = new Step.Done<>(VOLUME);
    private static final Handle HANDLE = new Handle("image", "copy-1");
    private static final Step<Volume> RUNNING = new Step.Running<>(HANDLE, 0.5, Duration.ofMillis(1));

    @TempDir
    Path folder;

    private BegunWork work;
    private int begun;
    private BegunWork.Begin onResume = () -> DONE;

    private final StorageProvider storage = (StorageProvider) Proxy.newProxyInstance(
            StorageProvider.class.getClassLoader(),
            new Class<?>[] {StorageProvider.class},
            (proxy, method, arguments) -> switch (method.getName()) {
                case "volume" -> VOLUME;
                case "resume" -> onResume.begin();
                default -> throw new AssertionError(method);
            });

    @BeforeEach
    void start() throws Exception {
        work = BegunWork.in(folder);
    }

    private Step<Volume> ask(AgentCommand.Lasting what, BegunWork.Begin begin) throws Exception {
        return work.once("op-1", what, storage, () -> {
            begun++;
            return begin.begin();
        });
    }

    private static BegunWork.Begin failing(ProviderError error) {
        return () -> {
            throw new ProviderException(error);
        };
    }

    private void askFails(ProviderError error) {
        assertThatThrownBy(() -> ask(ROLLBACK, failing(error)))
                .isInstanceOfSatisfying(
                        ProviderException.class,
                        failure -> assertThat(failure.error()).isEqualTo(error));
    }

    static List<ProviderError> afterTheEffect() {
        return List.of(
                new ProviderError.Unexpected("lvconvert", "exit 5 after the merge"),
                new ProviderError.Unreachable("storage", "no answer"),
                new ProviderError.Conflict("image:orders", "newer snapshots"),
                new ProviderError.Corrupt("image:orders", "hash"));
    }

    /** The failure is lost on its way, somebody writes to the volume, and the controller asks again. */
    @ParameterizedTest
    @MethodSource("afterTheEffect")
    void failureThatMayFollowTheEffectIsToldAgainAndTheRollbackNotBegunAgain(ProviderError error) throws Exception {
        askFails(error);
        askFails(error);
        start();
        askFails(error);

        assertThat(begun).isEqualTo(1);
    }

    static List<ProviderError> beforeTheEffect() {
        return List.of(
                new ProviderError.Busy("image:orders", "a mount", Duration.ofSeconds(1)),
                new ProviderError.SnapshotNotFound(SNAPSHOT),
                new ProviderError.VolumeNotFound(ORDERS),
                new ProviderError.Denied("image:orders", "root"),
                new ProviderError.OutOfSpace("image:orders", 0, 1));
    }

    @ParameterizedTest
    @MethodSource("beforeTheEffect")
    void refusalBeforeTheEffectCountsAsNotBegun(ProviderError error) throws Exception {
        askFails(error);

        assertThat(ask(ROLLBACK, () -> DONE)).isEqualTo(DONE);
        assertThat(begun).isEqualTo(2);
    }

    @Test
    void failureOfWhatKeepsCountsAsNotBegun() throws Exception {
        assertThatThrownBy(() -> ask(CLONE, failing(new ProviderError.Unexpected("cp", "exit 1"))))
                .isInstanceOf(ProviderException.class);

        assertThat(ask(CLONE, () -> DONE)).isEqualTo(DONE);
    }

    @Test
    void bugInAProviderDoesNotHaveARollbackBegunAgain() {
        BegunWork.Begin bug = () -> {
            throw new IllegalStateException("bug");
        };
        assertThatThrownBy(() -> ask(ROLLBACK, bug)).isInstanceOf(IllegalStateException.class);

        assertThatThrownBy(() -> ask(ROLLBACK, () -> DONE))
                .isInstanceOf(ProviderException.class)
                .hasMessageContaining("bug");
        assertThat(begun).isEqualTo(1);
    }

    /** The storage would begin its copy again, though it had ended and somebody has written since. */
    @Test
    void handleOfARollbackThatAnotherProcessObtainedIsNotResumed() throws Exception {
        assertThat(ask(ROLLBACK, () -> RUNNING)).isEqualTo(RUNNING);
        onResume = () -> {
            throw new AssertionError("resumed");
        };

        for (int time = 0; time < 2; time++) {
            start();
            assertThatThrownBy(() -> ask(ROLLBACK, () -> DONE))
                    .isInstanceOfSatisfying(
                            ProviderException.class,
                            failure -> assertThat(failure.error()).isInstanceOf(ProviderError.Conflict.class))
                    .hasMessageContaining("is not known");
        }
        assertThat(begun).isEqualTo(1);
    }

    @Test
    void handleOfACloneThatAnotherProcessObtainedIsResumed() throws Exception {
        assertThat(ask(CLONE, () -> RUNNING)).isEqualTo(RUNNING);

        start();

        assertThat(ask(CLONE, () -> RUNNING)).isEqualTo(DONE);
        assertThat(begun).isEqualTo(1);
    }

    /** Taken for the end, it would let others write while the volume is overwritten. */
    @Test
    void storageThatCannotBeAskedHowFarItIsHasNotFailed() throws Exception {
        assertThat(ask(ROLLBACK, () -> RUNNING)).isEqualTo(RUNNING);
        for (var error : List.of(
                new ProviderError.Unreachable("storage", "no answer"),
                new ProviderError.Busy("image:orders", "lvm", Duration.ofSeconds(1)))) {
            onResume = failing(error);
            assertThatThrownBy(() -> ask(ROLLBACK, () -> RUNNING)).isInstanceOf(AskAgainException.class);
        }

        onResume = () -> DONE;
        assertThat(ask(ROLLBACK, () -> RUNNING)).isEqualTo(DONE);
        assertThat(begun).isEqualTo(1);
    }

    @Test
    void failureOfARollbackThatWasGoingOnIsToldAgain() throws Exception {
        assertThat(ask(ROLLBACK, () -> RUNNING)).isEqualTo(RUNNING);
        var error = new ProviderError.OutOfSpace("image:orders", 0, 1);
        onResume = failing(error);

        askFails(error);
        start();
        askFails(error);

        assertThat(begun).isEqualTo(1);
    }

    @Test
    void endThatCannotBeWrittenDownIsToldOnceItCan() throws Exception {
        var records = folder.resolve("begun");
        var aside = folder.resolve("aside");
        assertThatThrownBy(() -> ask(ROLLBACK, () -> {
                    move(records, aside);
                    return DONE;
                }))
                .isInstanceOf(AskAgainException.class);
        assertThatThrownBy(() -> ask(ROLLBACK, () -> DONE)).isInstanceOf(AskAgainException.class);

        move(aside, records);

        assertThat(ask(ROLLBACK, () -> DONE)).isEqualTo(DONE);
        start();
        assertThat(ask(ROLLBACK, () -> DONE)).isEqualTo(DONE);
        assertThat(begun).isEqualTo(1);
    }

    private static void move(Path from, Path to) {
        assertThat(from.toFile().renameTo(to.toFile())).isTrue();
    }

    /** Asks, on a thread of its own, for a rollback whose beginning lasts until the latch. */
    private Thread beginning(CountDownLatch until) throws InterruptedException {
        var inside = new CountDownLatch(1);
        var thread = Thread.ofVirtual().start(() -> {
            try {
                var unused = ask(ROLLBACK, () -> {
                    inside.countDown();
                    try {
                        until.await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                    return DONE;
                });
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        inside.await();
        return thread;
    }

    @Test
    void beginningThatTakesLongIsAskedForAgainAndNoFailure() throws Exception {
        work = new BegunWork(BegunFiles.in(folder), Duration.ofMillis(50));
        var until = new CountDownLatch(1);
        var thread = beginning(until);

        assertThatThrownBy(() -> ask(ROLLBACK, () -> DONE))
                .isInstanceOf(AskAgainException.class)
                .hasMessageContaining("still beginning");

        until.countDown();
        thread.join();
        assertThat(ask(ROLLBACK, () -> DONE)).isEqualTo(DONE);
        assertThat(begun).isEqualTo(1);
    }

    @Test
    void idOfOtherWorkIsNotJoined() throws Exception {
        var until = new CountDownLatch(1);
        var thread = beginning(until);

        assertThatThrownBy(() -> ask(CLONE, () -> DONE))
                .isInstanceOf(ProviderException.class)
                .hasMessageContaining("it was begun as")
                .hasMessageContaining("RollBack");

        until.countDown();
        thread.join();
    }

    private static BegunFiles.Known known(boolean done) {
        return new BegunFiles.Known("x", done, Optional.empty(), Optional.empty());
    }

    private static void age(Path file, Instant when) throws Exception {
        Files.setLastModifiedTime(file, FileTime.from(when));
    }

    /** As a clock sees it that has jumped by a year, before and after. */
    @Test
    void whatHasNotEndedIsNotForgottenHoweverOldItSeems() throws Exception {
        var files = new BegunFiles(folder, 3);
        files.write("going-on", known(false));
        files.write("ended", known(true));
        age(folder.resolve("going-on.json"), Instant.EPOCH);
        files.write("third", known(true));

        files.write("fourth", known(false));

        assertThat(files.find("going-on")).isPresent();
        assertThat(files.find("ended")).isEmpty();
        assertThat(files.find("third")).isPresent();
    }

    @Test
    void whatHasEndedIsKeptBelowTheLimitWhateverTheClockSays() throws Exception {
        var files = new BegunFiles(folder, 3);
        files.write("ended", known(true));
        age(folder.resolve("ended.json"), Instant.EPOCH);

        files.write("second", known(false));

        assertThat(files.find("ended")).isPresent();
    }

    @Test
    void newWorkIsRefusedWhereAllThatFitsIsUnfinished() throws Exception {
        var files = new BegunFiles(folder, 2);
        files.write("first", known(false));
        files.write("second", known(false));

        assertThatThrownBy(() -> files.write("third", known(false)))
                .isInstanceOf(ProviderException.class)
                .hasMessageContaining("2 pieces of long work")
                .hasMessageContaining(folder.toString());

        files.write("first", known(true));
        files.write("third", known(false));
        assertThat(files.find("second")).isPresent();
        assertThat(files.find("third")).isPresent();
    }

    @Test
    void fileOfTheSoftwareBeforeIsRead() throws Exception {
        Files.writeString(folder.resolve("old.json"), "{\"what\":\"x\",\"done\":false,\"handle\":null}");

        assertThat(new BegunFiles(folder, 2).find("old")).contains(known(false));
    }
}
